//! The steps for one destination: read the log, pick what is subscribed to, format, deliver, settle.
//!
//! One task owns all state of one destination, so nothing here needs a lock. It never blocks: formatting runs on the
//! sandbox's threads, disk work on the store's. Destinations do not know each other; one that refuses or hangs costs
//! the others nothing.
//!
//! Invariant: an event leaves the log for a destination in exactly three ways: delivered, dead-lettered, or filtered
//! by the subscription (expiry is the store's). Whatever else happens, it is read again.
#![forbid(unsafe_code)]

mod adoption;
mod batch;
mod chunk;
mod confirming;
mod formatting;
mod giving_up;
mod handle;
mod health;
mod judgement;
mod pace;
mod probe;
mod reading;
mod reception;
mod replay;
mod retry_policy;
mod sending;
mod settling;
mod standing;
mod starting;
mod status;
mod suspects;
mod task;
mod test_event;
mod version;
mod withheld;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use siemaphore_delivery::Target;
use siemaphore_model::Subscription;
use siemaphore_registry::Plugin;
use siemaphore_sandbox::Sandbox;
use siemaphore_store::{DeadLetterLimit, Start, Store};

pub use crate::handle::{Pipeline, PipelineHandle};
pub use crate::probe::{ProbeReport, probe};
pub use crate::retry_policy::{GiveUp, RetryPolicy};
pub use crate::status::{Failure, NotAdopted, State, Status};
pub use crate::test_event::TestReport;
pub use siemaphore_delivery::Schedule;

/// What one destination needs to know.
#[derive(Debug, Clone)]
pub struct PipelineConfig {
    /// `organization/name`: unique in the host, stable, and opaque to the formatter.
    pub destination: String,
    pub organization: String,
    pub subscription: Subscription,
    /// A JSON object for the formatter.
    pub settings: String,
    /// Requests in flight at the same time, at least 1.
    pub concurrency: usize,
    /// The operator's cap on events in one request, beside the formatter's own.
    pub batch_events: Option<u32>,
    /// The operator's cap on events sent in a second.
    pub events_per_second: Option<NonZeroU32>,
    pub retry: RetryPolicy,
    /// Events that wait longer are expired by the store.
    pub age_limit: Duration,
    pub dead_letter_limit: DeadLetterLimit,
    /// Where a destination that was never seen before begins.
    pub start: Start,
}

/// The parts of the host that a pipeline drives.
#[derive(Clone)]
pub struct Stages {
    pub store: Store,
    pub sandbox: Sandbox,
    pub plugin: Plugin,
    pub target: Arc<Target>,
}

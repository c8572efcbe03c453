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
mod formatting;
mod handle;
mod health;
mod judgement;
mod reading;
mod sending;
mod status;
mod suspects;
mod task;
mod test_event;
mod version;

use std::sync::Arc;
use std::time::Duration;

use siemaphore_delivery::Target;
use siemaphore_model::Subscription;
use siemaphore_registry::Plugin;
use siemaphore_sandbox::Sandbox;
use siemaphore_store::{Start, Store};

pub use crate::handle::{Pipeline, PipelineHandle};
pub use crate::status::{Failure, State, Status};

pub use crate::test_event::TestReport;

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
    /// Events that wait longer are expired by the store.
    pub age_limit: Duration,
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

//! What people and scripts ask: destinations, formatters, dead letters, the ledger, the store, health, metrics.
//!
//! Three routers: [`health_router`] for probes and scrapers, [`control_router`] for everything, to be served where only
//! the operator can reach it, and [`store_router`], the part of it that needs no running host. None can see a secret: no
//! handle here has one.
#![forbid(unsafe_code)]

mod api;
mod health;
mod metrics;

use std::sync::Arc;

use axum::Router;
use siemaphore_intake::IntakeMetrics;
use siemaphore_pipeline::PipelineHandle;
use siemaphore_registry::Registry;
use siemaphore_sources::Statuses;
use siemaphore_store::Store;
use tokio_util::sync::CancellationToken;

pub use crate::api::destinations::DestinationView;
pub use crate::api::ledger::Ledger;

/// Remote controls of the running parts.
#[derive(Clone)]
pub struct Handles {
    pub store: Store,
    pub registry: Arc<Registry>,
    pub destinations: Arc<[Destination]>,
    pub sources: Arc<[Source]>,
    pub intake: Arc<IntakeMetrics>,
    /// The sources that fetch.
    pub fetching: Statuses,
    /// Cancelled when the host takes no more events.
    pub stopping: CancellationToken,
}

/// A configured source.
#[derive(Debug, Clone)]
pub struct Source {
    pub organization: String,
    pub name: String,
    /// As the configuration names it.
    pub kind: String,
    /// How its events are read.
    pub profile: String,
    /// Whether its events have to fit a schema.
    pub has_schema: bool,
}

/// A configured destination.
#[derive(Clone)]
pub struct Destination {
    /// `organization/name`
    pub id: String,
    pub organization: String,
    pub name: String,
    pub formatter: String,
    pub endpoint: String,
    /// None when it is disabled: the log keeps nothing for it.
    pub pipeline: Option<PipelineHandle>,
}

/// `/healthz`, `/readyz` and `/metrics`.
pub fn health_router(handles: Handles) -> Router {
    health::router().merge(metrics::router()).with_state(handles)
}

/// The operator's API, and everything of [`health_router`].
pub fn control_router(handles: Handles) -> Router {
    let store = store_router(handles.store.clone());
    api::router().with_state(handles.clone()).merge(store).merge(health_router(handles))
}

/// As much of the operator's API as a store can answer by itself: for commands that find no host running.
pub fn store_router(store: Store) -> Router {
    api::store_router().with_state(store)
}

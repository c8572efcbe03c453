//! What people and scripts ask a running host: destinations, formatters, dead letters, health, metrics.
//!
//! Two routers over the same handles: [`health_router`] for probes and scrapers, [`control_router`] for everything, to
//! be served where only the operator can reach it. Neither can see a secret: no handle here has one.
#![forbid(unsafe_code)]

mod api;
mod health;
mod metrics;

use std::sync::Arc;

use axum::Router;
use siemaphore_intake::IntakeMetrics;
use siemaphore_pipeline::PipelineHandle;
use siemaphore_registry::Registry;
use siemaphore_store::Store;

pub use crate::api::destinations::DestinationView;

/// Remote controls of the running parts.
#[derive(Clone)]
pub struct Handles {
    pub store: Store,
    pub registry: Arc<Registry>,
    pub destinations: Arc<[Destination]>,
    pub intake: Arc<IntakeMetrics>,
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
    api::router().with_state(handles.clone()).merge(health_router(handles))
}

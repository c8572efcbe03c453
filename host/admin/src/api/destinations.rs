//! Destinations: how they are doing, and a test of one.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use siemaphore_pipeline::{Status, TestReport};
use siemaphore_store::StoreError;

use crate::api::ApiError;
use crate::{Destination, Handles};

pub(crate) fn router() -> Router<Handles> {
    Router::new()
        .route("/destinations", get(list))
        .route("/organizations/{organization}/destinations", get(list_of_organization))
        .route("/organizations/{organization}/destinations/{name}", get(show))
        .route("/organizations/{organization}/destinations/{name}/test", post(test))
}

/// A destination as the API shows it.
#[derive(Debug, Serialize)]
pub struct DestinationView {
    pub organization: String,
    pub name: String,
    pub formatter: String,
    pub endpoint: String,
    pub enabled: bool,
    /// None when it is disabled.
    pub status: Option<Status>,
    pub ledger: Ledger,
}

/// Where a destination's events are. `accepted` is the sum of all others but `duplicates`.
#[derive(Debug, Default, Serialize)]
pub struct Ledger {
    pub accepted: u64,
    pub delivered: u64,
    pub filtered: u64,
    pub dead_lettered: u64,
    pub discarded: u64,
    pub expired: u64,
    pub damaged: u64,
    pub waiting: u64,
    pub duplicates: u64,
    pub oldest_waiting_ms: Option<u64>,
}

impl From<siemaphore_store::Ledger> for Ledger {
    fn from(ledger: siemaphore_store::Ledger) -> Ledger {
        Ledger {
            accepted: ledger.accepted,
            delivered: ledger.delivered,
            filtered: ledger.filtered,
            dead_lettered: ledger.dead_lettered,
            discarded: ledger.discarded,
            expired: ledger.expired,
            damaged: ledger.damaged,
            waiting: ledger.waiting,
            duplicates: ledger.duplicates,
            oldest_waiting_ms: ledger.oldest_waiting_ms,
        }
    }
}

async fn list(State(handles): State<Handles>) -> Result<Json<Vec<DestinationView>>, ApiError> {
    views(&handles, |_| true).await
}

async fn list_of_organization(
    State(handles): State<Handles>,
    Path(organization): Path<String>,
) -> Result<Json<Vec<DestinationView>>, ApiError> {
    views(&handles, |destination| destination.organization == organization).await
}

async fn show(
    State(handles): State<Handles>,
    Path((organization, name)): Path<(String, String)>,
) -> Result<Json<DestinationView>, ApiError> {
    let destination = find(&handles, &organization, &name)?;
    Ok(Json(view(&handles, destination).await?))
}

async fn test(
    State(handles): State<Handles>,
    Path((organization, name)): Path<(String, String)>,
) -> Result<Json<TestReport>, ApiError> {
    let destination = find(&handles, &organization, &name)?;
    let disabled = || ApiError::conflict(format!("destination `{name}` is disabled"), "set `enabled = true`");
    let pipeline = destination.pipeline.as_ref().ok_or_else(disabled)?;
    let stopped =
        || ApiError::conflict(format!("destination `{name}` has stopped"), "see the log of the host");
    Ok(Json(pipeline.test().await.ok_or_else(stopped)?))
}

fn find<'a>(handles: &'a Handles, organization: &str, name: &str) -> Result<&'a Destination, ApiError> {
    let mut all = handles.destinations.iter();
    all.find(|destination| destination.organization == organization && destination.name == name).ok_or_else(
        || {
            ApiError::not_found(
                format!("organisation `{organization}` has no destination `{name}`"),
                "`siemaphore destination list` shows all",
            )
        },
    )
}

async fn views(
    handles: &Handles,
    wanted: impl Fn(&Destination) -> bool,
) -> Result<Json<Vec<DestinationView>>, ApiError> {
    let mut views = Vec::new();
    for destination in handles.destinations.iter().filter(|destination| wanted(destination)) {
        views.push(view(handles, destination).await?);
    }
    Ok(Json(views))
}

pub(crate) async fn view(
    handles: &Handles,
    destination: &Destination,
) -> Result<DestinationView, StoreError> {
    let ledger = match &destination.pipeline {
        Some(_) => handles.store.ledger(&destination.id).await?.into(),
        None => Ledger::default(),
    };
    Ok(DestinationView {
        organization: destination.organization.clone(),
        name: destination.name.clone(),
        formatter: destination.formatter.clone(),
        endpoint: destination.endpoint.clone(),
        enabled: destination.pipeline.is_some(),
        status: destination.pipeline.as_ref().map(|pipeline| pipeline.status()),
        ledger,
    })
}

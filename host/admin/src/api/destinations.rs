//! Destinations: how they are doing, and a test of one.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use siemaphore_pipeline::{PipelineHandle, ProbeReport, Status, TestReport};
use siemaphore_store::StoreError;

use crate::api::ApiError;
use crate::api::ledger::Ledger;
use crate::{Destination, Handles};

pub(crate) fn router() -> Router<Handles> {
    Router::new()
        .route("/destinations", get(list))
        .route("/organizations/{organization}/destinations", get(list_of_organization))
        .route("/organizations/{organization}/destinations/{name}", get(show))
        .route("/organizations/{organization}/destinations/{name}/test", post(test))
        .route("/organizations/{organization}/destinations/{name}/probe", post(probe))
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
    let pipeline = pipeline(&handles, &organization, &name)?;
    Ok(Json(pipeline.test().await.ok_or_else(|| stopped(&name))?))
}

/// The formatter's probe: shows whether endpoint and credential work, and stores nothing.
async fn probe(
    State(handles): State<Handles>,
    Path((organization, name)): Path<(String, String)>,
) -> Result<Json<ProbeReport>, ApiError> {
    let pipeline = pipeline(&handles, &organization, &name)?;
    Ok(Json(pipeline.probe().await.ok_or_else(|| stopped(&name))?))
}

fn pipeline<'a>(
    handles: &'a Handles,
    organization: &str,
    name: &str,
) -> Result<&'a PipelineHandle, ApiError> {
    let disabled = || ApiError::conflict(format!("destination `{name}` is disabled"), "set `enabled = true`");
    find(handles, organization, name)?.pipeline.as_ref().ok_or_else(disabled)
}

fn stopped(name: &str) -> ApiError {
    ApiError::conflict(format!("destination `{name}` has stopped"), "see the log of the host")
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

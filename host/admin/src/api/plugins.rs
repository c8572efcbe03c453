//! Formatters: what is loaded, a look at the folder, and leave for a changed request.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use siemaphore_pipeline::NotAdopted;
use siemaphore_registry::{Active, Origin, PluginStatus, RollBackError, SentBack, VersionStatus};
use tokio::task::{JoinError, spawn_blocking};

use crate::api::ApiError;
use crate::{Destination, Handles};

pub(crate) fn router() -> Router<Handles> {
    Router::new()
        .route("/plugins", get(list))
        .route("/plugins/reload", post(reload))
        .route("/plugins/{name}/promote", post(promote))
        .route("/plugins/{name}/rollback", post(roll_back))
}

/// A formatter as the API shows it.
#[derive(Debug, Serialize)]
struct PluginView {
    name: String,
    /// `builtin`, or the path of its file.
    origin: String,
    state: &'static str,
    version: Option<String>,
    /// SHA-256 of the component.
    digest: Option<String>,
    title: Option<String>,
    /// What it was written in, as far as it tells.
    language: Option<&'static str>,
    /// Why the file that is there now is not the active version.
    error: Option<String>,
    size_bytes: u64,
    loaded_ms: Option<u64>,
    /// `immediate` or `manual`.
    policy: &'static str,
    /// The previous version returns by itself when this one is worse.
    is_new: bool,
    /// Events that a SIEM took, and that were refused, since the active version became active.
    gone_through: u64,
    refused: u64,
    /// The way back.
    previous: Option<VersionView>,
    /// It waits for `promote`.
    candidate: Option<VersionView>,
    /// Replaced, and in use by a batch.
    draining: Vec<VersionView>,
    /// The version that had to give way, and why.
    sent_back: Option<SentBackView>,
    /// The enabled ones that it formats for.
    destinations: Vec<UseView>,
}

/// A destination's use of a formatter.
#[derive(Debug, Serialize)]
struct UseView {
    destination: String,
    /// What formats there now.
    version: Option<String>,
    digest: Option<String>,
    /// The active version, where the destination keeps another one.
    not_adopted: Option<NotAdopted>,
}

#[derive(Debug, Serialize)]
struct VersionView {
    version: String,
    digest: String,
}

#[derive(Debug, Serialize)]
struct SentBackView {
    digest: String,
    reason: String,
}

async fn list(State(handles): State<Handles>) -> Json<Vec<PluginView>> {
    Json(views(&handles, handles.registry.list()))
}

async fn reload(State(handles): State<Handles>) -> Result<Json<Vec<PluginView>>, ApiError> {
    let registry = handles.registry.clone();
    let plugins = spawn_blocking(move || registry.reload()).await.map_err(broken_off)?;
    Ok(Json(views(&handles, plugins)))
}

fn views(handles: &Handles, plugins: Vec<PluginStatus>) -> Vec<PluginView> {
    plugins.into_iter().map(|plugin| view(plugin, &handles.destinations)).collect()
}

fn view(plugin: PluginStatus, destinations: &[Destination]) -> PluginView {
    let since_1970 = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let version = |VersionStatus { version, digest }| VersionView { version, digest };
    let sent_back = |SentBack { digest, reason, .. }| SentBackView { digest, reason };
    PluginView {
        destinations: uses(&plugin.name, destinations),
        name: plugin.name,
        origin: match plugin.origin {
            Origin::Builtin => "builtin".to_owned(),
            Origin::File(path) => path.display().to_string(),
        },
        state: plugin.state.as_str(),
        version: plugin.version,
        digest: plugin.digest,
        title: plugin.title,
        language: plugin.language,
        error: plugin.error,
        size_bytes: plugin.size_bytes,
        loaded_ms: plugin.loaded_at.and_then(|at| u64::try_from(since_1970(at).as_millis()).ok()),
        policy: plugin.policy.as_str(),
        is_new: plugin.is_new,
        gone_through: plugin.track.gone_through,
        refused: plugin.track.refused,
        previous: plugin.previous.map(version),
        candidate: plugin.candidate.map(version),
        draining: plugin.draining.into_iter().map(version).collect(),
        sent_back: plugin.sent_back.map(sent_back),
    }
}

fn uses(plugin: &str, destinations: &[Destination]) -> Vec<UseView> {
    let users = destinations.iter().filter(|destination| destination.formatter == plugin);
    let uses = users.filter_map(|destination| {
        let status = destination.pipeline.as_ref()?.status();
        Some(UseView {
            destination: destination.id.clone(),
            version: status.plugin_version,
            digest: status.plugin_digest,
            not_adopted: status.not_adopted,
        })
    });
    uses.collect()
}

/// What an operator's word has done.
#[derive(Debug, Serialize)]
struct Changed {
    name: String,
    /// What is active now.
    version: String,
    digest: String,
    /// The enabled ones that the plugin formats for.
    destinations: Vec<String>,
    /// Those of them that format with it from now on although it asks for another request than was granted.
    requests_allowed: Vec<String>,
}

impl Changed {
    fn to(active: &Active, name: String, all: &[Destination], requests_allowed: Vec<String>) -> Changed {
        let users = all.iter().filter(|one| one.formatter == name && one.pipeline.is_some());
        let destinations = users.map(|one| one.id.clone()).collect();
        let (version, digest) = (active.version.clone(), active.digest.clone());
        Changed { name, version, digest, destinations, requests_allowed }
    }
}

/// Makes the version that waits active, and allows its request.
async fn promote(
    State(handles): State<Handles>,
    Path(name): Path<String>,
) -> Result<Json<Changed>, ApiError> {
    let (registry, wanted) = (handles.registry.clone(), name.clone());
    let promoted = spawn_blocking(move || registry.promote(&wanted)).await.map_err(broken_off)?;
    let mut requests_allowed = Vec::new();
    for destination in handles.destinations.iter().filter(|destination| destination.formatter == name) {
        if let Some(pipeline) = &destination.pipeline
            && pipeline.promote().await
        {
            requests_allowed.push(destination.id.clone());
        }
    }
    let active = promoted.or_else(|| handles.registry.active(&name).filter(|_| !requests_allowed.is_empty()));
    let Some(active) = active else {
        return Err(nothing_waits(&handles, &name));
    };
    Ok(Json(Changed::to(&active, name, &handles.destinations, requests_allowed)))
}

fn nothing_waits(handles: &Handles, name: &str) -> ApiError {
    if handles.registry.list().iter().all(|plugin| plugin.name != name) {
        return ApiError::not_found(
            format!("there is no plugin `{name}`"),
            "`siemaphore plugin list` shows every plugin",
        );
    }
    ApiError::not_found(
        format!("no version of formatter `{name}` waits for a word"),
        "`siemaphore plugin list --state waiting` shows which versions wait",
    )
}

/// Makes the version before the active one active again.
async fn roll_back(
    State(handles): State<Handles>,
    Path(name): Path<String>,
) -> Result<Json<Changed>, ApiError> {
    let (registry, wanted) = (handles.registry.clone(), name.clone());
    let returned = spawn_blocking(move || registry.roll_back(&wanted)).await.map_err(broken_off)?;
    let active = returned.map_err(|error| match error {
        RollBackError::Unknown { .. } => ApiError::not_found(error.to_string(), error.hint()),
        _ => ApiError::conflict(error.to_string(), error.hint()),
    })?;
    Ok(Json(Changed::to(&active, name, &handles.destinations, Vec::new())))
}

fn broken_off(_: JoinError) -> ApiError {
    ApiError::conflict("the work on the plugin folder was broken off", "see the log of the host")
}

//! Formatters: what is loaded, a look at the folder, and leave for a changed request.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use siemaphore_registry::{Origin, PluginStatus};
use tokio::task::spawn_blocking;

use crate::Handles;
use crate::api::ApiError;

pub(crate) fn router() -> Router<Handles> {
    Router::new()
        .route("/plugins", get(list))
        .route("/plugins/reload", post(reload))
        .route("/plugins/{name}/promote", post(promote))
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
    /// Why the file that is there now is not the active version.
    error: Option<String>,
    size_bytes: u64,
    loaded_ms: Option<u64>,
}

async fn list(State(handles): State<Handles>) -> Json<Vec<PluginView>> {
    Json(handles.registry.list().into_iter().map(view).collect())
}

async fn reload(State(handles): State<Handles>) -> Result<Json<Vec<PluginView>>, ApiError> {
    let registry = handles.registry.clone();
    let broken_off =
        |_| ApiError::conflict("looking at the plugin folder was broken off", "see the log of the host");
    let plugins = spawn_blocking(move || registry.reload()).await.map_err(broken_off)?;
    Ok(Json(plugins.into_iter().map(view).collect()))
}

fn view(plugin: PluginStatus) -> PluginView {
    let since_1970 = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default();
    PluginView {
        name: plugin.name,
        origin: match plugin.origin {
            Origin::Builtin => "builtin".to_owned(),
            Origin::File(path) => path.display().to_string(),
        },
        state: plugin.state.as_str(),
        version: plugin.version,
        digest: plugin.digest,
        title: plugin.title,
        error: plugin.error,
        size_bytes: plugin.size_bytes,
        loaded_ms: plugin.loaded_at.and_then(|at| u64::try_from(since_1970(at).as_millis()).ok()),
    }
}

/// Who got the new request.
#[derive(Debug, Serialize)]
struct Promoted {
    destinations: Vec<String>,
}

async fn promote(
    State(handles): State<Handles>,
    Path(name): Path<String>,
) -> Result<Json<Promoted>, ApiError> {
    let mut destinations = Vec::new();
    for destination in handles.destinations.iter().filter(|destination| destination.formatter == name) {
        if let Some(pipeline) = &destination.pipeline
            && pipeline.promote().await
        {
            destinations.push(destination.id.clone());
        }
    }
    if destinations.is_empty() {
        return Err(ApiError::not_found(
            format!("no destination waits for a new version of formatter `{name}`"),
            "`siemaphore destination list` shows which formatter each destination uses",
        ));
    }
    Ok(Json(Promoted { destinations }))
}

//! Whether the process lives, and whether it takes events.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use bytesize::ByteSize;

use crate::Handles;

pub(crate) fn router() -> Router<Handles> {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready))
}

/// The runtime answers: that is all there is to say. A broken SIEM is no reason to restart this process.
async fn alive() -> &'static str {
    "ok\n"
}

/// Ready while the store takes events. Destinations do not count: they have the log to wait in.
async fn ready(State(handles): State<Handles>) -> impl IntoResponse {
    if handles.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping: no more events are taken\n".to_owned());
    }
    match handles.store.status().await {
        Ok(status) if status.accepting => (StatusCode::OK, "ok\n".to_owned()),
        Ok(status) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not accepting events: {} of disk are free\n", ByteSize(status.free_bytes)),
        ),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("the store does not answer: {error}\n")),
    }
}

//! Events that were given up. Listed only; the documents stay in the store.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::Handles;
use crate::api::ApiError;

/// The most in one answer.
const PAGE: u32 = 1_000;

pub(crate) fn router() -> Router<Handles> {
    Router::new().route("/dead-letters", get(list))
}

#[derive(Debug, Deserialize)]
struct Page {
    destination: Option<String>,
    /// Go on after this one.
    after: Option<i64>,
    limit: Option<u32>,
}

/// A dead letter as the API shows it.
#[derive(Debug, Serialize)]
struct DeadLetterView {
    id: i64,
    destination: String,
    event_key: String,
    event_type: String,
    cause: String,
    hint: String,
    attempts: u64,
    created_ms: u64,
}

async fn list(
    State(handles): State<Handles>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<DeadLetterView>>, ApiError> {
    let limit = page.limit.unwrap_or(PAGE).min(PAGE);
    let letters = handles.store.dead_letters(page.destination.as_deref(), page.after, limit).await?;
    let views = letters.into_iter().map(|letter| DeadLetterView {
        id: letter.id,
        destination: letter.destination,
        event_key: letter.key.to_string(),
        event_type: letter.event_type,
        cause: letter.cause,
        hint: letter.hint,
        attempts: letter.attempts,
        created_ms: letter.created_ms,
    });
    Ok(Json(views.collect()))
}

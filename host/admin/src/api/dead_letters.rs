//! Events that were given up: listed, shown, sent again, dropped for good, written out.

mod export;
mod replay;
mod view;

use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use siemaphore_store::Store;

use crate::api::ApiError;
use crate::api::dead_letters::view::{DeadLetterView, FullView};

/// The most in one answer.
const PAGE: u32 = 1_000;

pub(crate) fn router() -> Router<Store> {
    let destination = Router::new()
        .route("/", get(list_of_destination))
        .route("/{id}", get(show_of_destination))
        .route("/replay", get(replay::waiting).post(replay::request).delete(replay::cancel))
        .route("/discard", post(replay::discard));
    Router::new()
        .route("/dead-letters", get(list))
        .route("/dead-letters/export", get(export::all))
        .route("/dead-letters/{id}", get(show))
        .nest("/organizations/{organization}/destinations/{name}/dead-letters", destination)
}

#[derive(Debug, Deserialize)]
struct Page {
    destination: Option<String>,
    /// Go on after this one.
    after: Option<i64>,
    limit: Option<u32>,
}

async fn list(
    State(store): State<Store>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<DeadLetterView>>, ApiError> {
    let limit = page.limit.unwrap_or(PAGE).min(PAGE);
    let letters = store.dead_letters(page.destination.as_deref(), page.after, limit).await?;
    Ok(Json(letters.iter().map(DeadLetterView::of).collect()))
}

async fn list_of_destination(
    State(store): State<Store>,
    Path((organization, name)): Path<(String, String)>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<DeadLetterView>>, ApiError> {
    let destination = Some(known(&store, &organization, &name).await?);
    list(State(store), Query(Page { destination, ..page })).await
}

async fn show(State(store): State<Store>, Path(id): Path<i64>) -> Result<FullView, ApiError> {
    let letter = store.dead_letter(id).await?;
    Ok(FullView::of(letter.ok_or_else(|| no_letter(id))?))
}

async fn show_of_destination(
    State(store): State<Store>,
    Path((organization, name, id)): Path<(String, String, i64)>,
) -> Result<FullView, ApiError> {
    let destination = known(&store, &organization, &name).await?;
    let letter = store.dead_letter(id).await?;
    let letter = letter.filter(|full| full.letter.destination == destination);
    Ok(FullView::of(letter.ok_or_else(|| no_letter(id))?))
}

fn no_letter(id: i64) -> ApiError {
    ApiError::not_found(
        format!("there is no dead letter {id}"),
        "it may have been sent or discarded meanwhile; `siemaphore dead-letters list` shows what is there",
    )
}

/// The store's name of a destination, if it has one.
async fn known(store: &Store, organization: &str, name: &str) -> Result<String, ApiError> {
    let id = format!("{organization}/{name}");
    let all = store.destinations().await?;
    match all.iter().any(|known| known.destination == id) {
        true => Ok(id),
        false => Err(ApiError::unknown_destination(&id)),
    }
}

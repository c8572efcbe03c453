//! Sending dead letters again, and dropping them for good.
//!
//! A letter is only marked here. The pipeline of its destination sends it, and it stays a dead letter until it has
//! arrived: a crash in between loses nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use siemaphore_store::{Selection, Store};

use crate::api::ApiError;
use crate::api::dead_letters::known;

/// Which letters: `{"all":true}` or `{"ids":[1,2]}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    #[serde(default)]
    all: bool,
    #[serde(default)]
    ids: Vec<i64>,
}

impl Which {
    fn selection(self) -> Result<Selection, ApiError> {
        match (self.all, self.ids.is_empty()) {
            (true, true) => Ok(Selection::All),
            (false, false) => Ok(Selection::Ids(self.ids)),
            _ => Err(ApiError::bad_request(
                "which dead letters is not clear",
                "write {\"all\":true} or {\"ids\":[1,2]}",
            )),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Requested {
    /// Letters that were not on their way yet.
    requested: u64,
    /// These and the ones that were on their way before. Some may have arrived already: a host is quick.
    waiting: u64,
    /// The host's clock: letters that fail again are updated later than this.
    at_ms: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Waiting {
    waiting: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Cancelled {
    cancelled: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Discarded {
    discarded: u64,
}

type Name = Path<(String, String)>;

pub(crate) async fn request(
    State(store): State<Store>,
    Path((organization, name)): Name,
    Json(which): Json<Which>,
) -> Result<Json<Requested>, ApiError> {
    let destination = known(&store, &organization, &name).await?;
    let at_ms = now_ms();
    // Counted before: afterwards, what the pipeline has already sent again would look as if nothing had been asked for.
    let before = store.replays_waiting(&destination).await?;
    let requested = store.request_replay(&destination, which.selection()?).await?;
    Ok(Json(Requested { requested, waiting: before + requested, at_ms }))
}

pub(crate) async fn waiting(
    State(store): State<Store>,
    Path((organization, name)): Name,
) -> Result<Json<Waiting>, ApiError> {
    let destination = known(&store, &organization, &name).await?;
    Ok(Json(Waiting { waiting: store.replays_waiting(&destination).await? }))
}

pub(crate) async fn cancel(
    State(store): State<Store>,
    Path((organization, name)): Name,
) -> Result<Json<Cancelled>, ApiError> {
    let destination = known(&store, &organization, &name).await?;
    Ok(Json(Cancelled { cancelled: store.cancel_replay(&destination).await? }))
}

pub(crate) async fn discard(
    State(store): State<Store>,
    Path((organization, name)): Name,
    Json(which): Json<Which>,
) -> Result<Json<Discarded>, ApiError> {
    let destination = known(&store, &organization, &name).await?;
    Ok(Json(Discarded { discarded: store.discard(&destination, which.selection()?).await? }))
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

//! Where each event of a destination is, and whether the sum is right.

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use siemaphore_store::Store;

use crate::api::ApiError;

pub(crate) fn router() -> Router<Store> {
    Router::new()
        .route("/ledger", get(all))
        .route("/organizations/{organization}/destinations/{name}/ledger", get(one))
}

/// Where a destination's events are. `accepted` is the sum of all others but `duplicates`, and `difference` is 0.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ledger {
    pub accepted: u64,
    pub delivered: u64,
    pub filtered: u64,
    pub dead_lettered: u64,
    pub discarded: u64,
    pub expired: u64,
    pub damaged: u64,
    pub waiting: u64,
    /// Accepted and nowhere; below 0: somewhere and never accepted.
    pub difference: i64,
    pub duplicates: u64,
    pub oldest_waiting_ms: Option<u64>,
}

impl From<siemaphore_store::Ledger> for Ledger {
    fn from(ledger: siemaphore_store::Ledger) -> Ledger {
        let difference = ledger.difference();
        let furthest = if difference < 0 { i64::MIN } else { i64::MAX };
        Ledger {
            accepted: ledger.accepted,
            delivered: ledger.delivered,
            filtered: ledger.filtered,
            dead_lettered: ledger.dead_lettered,
            discarded: ledger.discarded,
            expired: ledger.expired,
            damaged: ledger.damaged,
            waiting: ledger.waiting,
            difference: i64::try_from(difference).unwrap_or(furthest),
            duplicates: ledger.duplicates,
            oldest_waiting_ms: ledger.oldest_waiting_ms,
        }
    }
}

/// One destination's ledger as the API shows it.
#[derive(Debug, Serialize)]
struct LedgerView {
    organization: String,
    name: String,
    /// False when it is disabled or no longer configured: then nothing is sent, and nothing is kept for it.
    active: bool,
    adds_up: bool,
    dead_letter_bytes: u64,
    dead_letter_limit_bytes: u64,
    #[serde(flatten)]
    ledger: Ledger,
}

/// Every destination that the store knows, also those that are no longer configured.
async fn all(State(store): State<Store>) -> Result<Json<Vec<LedgerView>>, ApiError> {
    let mut views = Vec::new();
    for known in store.destinations().await? {
        views.push(view(&store, known).await?);
    }
    Ok(Json(views))
}

async fn one(
    State(store): State<Store>,
    Path((organization, name)): Path<(String, String)>,
) -> Result<Json<LedgerView>, ApiError> {
    let id = format!("{organization}/{name}");
    let mut all = store.destinations().await?.into_iter();
    let known =
        all.find(|known| known.destination == id).ok_or_else(|| ApiError::unknown_destination(&id))?;
    Ok(Json(view(&store, known).await?))
}

async fn view(store: &Store, known: siemaphore_store::KnownDestination) -> Result<LedgerView, ApiError> {
    let ledger = Ledger::from(store.ledger(&known.destination).await?);
    let name = known.destination.split_once('/').map_or(known.destination.as_str(), |(_, name)| name);
    Ok(LedgerView {
        organization: known.organization,
        name: name.to_owned(),
        active: known.active,
        adds_up: ledger.difference == 0,
        dead_letter_bytes: known.dead_letter_bytes,
        dead_letter_limit_bytes: known.dead_letter_limit_bytes,
        ledger,
    })
}

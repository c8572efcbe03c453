//! All dead letters with everything that is kept of them, a line each.

use std::collections::VecDeque;

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use siemaphore_store::{Store, StoreError};

use crate::api::ApiError;
use crate::api::dead_letters::view::FullView;
use crate::api::lines::{self, Lines};

/// Headers of letters that are read ahead of their events.
const PAGE: u32 = 200;

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    /// `organization/name`; all destinations when left out.
    destination: Option<String>,
}

pub(crate) async fn all(
    State(store): State<Store>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let expected = match &wanted.destination {
        Some(destination) => store.ledger(destination).await?.dead_lettered,
        None => store.status().await?.dead_letters,
    };
    let letters = Letters { store, destination: wanted.destination, after: None, page: VecDeque::new() };
    Ok(lines::answer(letters, expected))
}

struct Letters {
    store: Store,
    destination: Option<String>,
    after: Option<i64>,
    page: VecDeque<i64>,
}

impl Lines for Letters {
    async fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, StoreError> {
        if self.page.is_empty() {
            let page = self.store.dead_letters(self.destination.as_deref(), self.after, PAGE).await?;
            self.page = page.iter().map(|letter| letter.id).collect();
        }
        let Some(id) = self.page.pop_front() else { return Ok(false) };
        self.after = Some(id);
        // It may have arrived or been discarded meanwhile.
        if let Some(letter) = self.store.dead_letter(id).await? {
            lines::push(out, &FullView::of(letter).line());
        }
        Ok(true)
    }
}

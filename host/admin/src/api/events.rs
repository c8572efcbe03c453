//! The stored events, written out: everything since a time, or the newest so many, the oldest first.

use std::collections::VecDeque;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use siemaphore_store::{LoadError, Store, StoreError, StoredBlock};

use crate::api::ApiError;
use crate::api::event_line::EventLine;
use crate::api::lines::{self, Lines};

/// Headers of blocks that are read ahead; the blocks themselves are loaded one at a time.
const PAGE: u32 = 256;

pub(crate) fn router() -> Router<Store> {
    Router::new().route("/events/export", get(export))
}

/// Which events, by when they were stored.
#[derive(Debug, Clone, Deserialize)]
struct Wanted {
    #[serde(default)]
    since_ms: u64,
    /// Events that were stored at this moment or later are left out.
    until_ms: Option<u64>,
    organization: Option<String>,
    /// No more than so many: the newest of what there is.
    last: Option<u64>,
}

async fn export(State(store): State<Store>, Query(wanted): Query<Wanted>) -> Result<Response, ApiError> {
    let mut blocks = Blocks::new(store.clone(), wanted.clone(), 0);
    let mut stored = 0;
    while let Some(block) = blocks.next_block().await? {
        stored += block.count;
    }
    let expected = wanted.last.map_or(stored, |last| last.min(stored));
    Ok(lines::answer(Blocks::new(store, wanted, stored - expected), expected))
}

/// Blocks in the order of their positions, a page of headers at a time.
struct Blocks {
    store: Store,
    wanted: Wanted,
    after: u64,
    page: VecDeque<StoredBlock>,
    /// Events that are still to be passed over.
    skip: u64,
}

impl Blocks {
    fn new(store: Store, wanted: Wanted, skip: u64) -> Blocks {
        Blocks { store, wanted, after: 0, page: VecDeque::new(), skip }
    }

    async fn next_block(&mut self) -> Result<Option<StoredBlock>, StoreError> {
        let Wanted { since_ms, until_ms, organization, .. } = &self.wanted;
        if self.page.is_empty() {
            let page = self.store.blocks_since(*since_ms, organization.as_deref(), self.after, PAGE);
            self.page = page.await?.into();
        }
        let Some(block) = self.page.pop_front() else { return Ok(None) };
        if until_ms.is_some_and(|until_ms| block.stored_ms >= until_ms) {
            return Ok(None);
        }
        self.after = block.first + block.count.saturating_sub(1);
        Ok(Some(block))
    }
}

impl Lines for Blocks {
    async fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, StoreError> {
        let Some(block) = self.next_block().await? else { return Ok(false) };
        let skipped = self.skip.min(block.count);
        self.skip -= skipped;
        if skipped == block.count {
            return Ok(true);
        }
        match self.store.load(block.block).await {
            Ok(events) => {
                let wanted = events.iter().skip(usize::try_from(skipped).unwrap_or(usize::MAX));
                wanted.for_each(|event| lines::push(out, &EventLine::of(&event)));
            }
            // Settled and deleted since its header was read.
            Err(LoadError::Gone(_)) => {}
            // Set aside here as it would be by a pipeline: the damage is told after the export, and does not end it.
            Err(LoadError::Damaged { block, .. }) => self.store.drop_damaged(block).await?,
            Err(LoadError::Closed) => return Err(StoreError::Closed),
            Err(LoadError::Storage(error)) => return Err(error.into()),
        }
        Ok(true)
    }
}

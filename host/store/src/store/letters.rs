//! Dead letters: list, show, send again, discard.
//!
//! What concerns many letters is done page by page, a commit for each, so that producers never wait behind all of it.

use crate::Store;
use crate::change::{Change, LetterAction};
use crate::dead_letter::{self, DeadLetter, FullDeadLetter, Selection};
use crate::error::StoreError;
use crate::{dead_letter_limit, destination, replay};
use tokio::sync::watch;

/// How many letters one commit marks or discards.
const PAGE: u32 = 1000;

impl Store {
    /// Dead letters in the order they were written, of one destination or of all, after an id; a thousand at most.
    pub async fn dead_letters(
        &self,
        destination: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let destination = destination.map(str::to_owned);
        self.readers()
            .read(move |snapshot| dead_letter::list(snapshot, destination.as_deref(), after, limit))
            .await
    }

    pub async fn dead_letter(&self, id: i64) -> Result<Option<FullDeadLetter>, StoreError> {
        self.readers().read(move |snapshot| dead_letter::find(snapshot, id)).await
    }

    /// Marks letters to be sent again; gives how many were not marked before. They stay dead letters until they have
    /// arrived, and the marks survive a restart. When this fails midway, what was marked stays marked.
    pub async fn request_replay(&self, destination: &str, selection: Selection) -> Result<u64, StoreError> {
        self.change_letters(destination, selection, LetterAction::Mark).await
    }

    /// Takes back the marks that are there; gives how many. A letter that is being sent may still arrive.
    pub async fn cancel_replay(&self, destination: &str) -> Result<u64, StoreError> {
        let name = destination.to_owned();
        let last = self
            .readers()
            .read(move |snapshot| {
                destination::get(snapshot, &name)?;
                Ok::<_, StoreError>(replay::last_marked(snapshot, &name)?)
            })
            .await?;
        let (mut after, mut cancelled) = (0, 0);
        while last.is_some_and(|last| after < last) {
            let name = destination.to_owned();
            let read = move |snapshot: &rusqlite::Transaction<'_>| {
                Ok::<_, StoreError>(replay::marked(snapshot, &name, after, PAGE)?)
            };
            let ids = self.readers().read(read).await?;
            let Some(&reached) = ids.last() else { break };
            cancelled += self.change_page(destination, LetterAction::Unmark, ids).await?;
            after = reached;
        }
        Ok(cancelled)
    }

    /// Marked letters after an id, the oldest first, with their events: `limit` of them or 4 MiB at most.
    ///
    /// A letter whose event can no longer be read loses its mark here: it stays for an operator to look at or discard.
    pub async fn replays(
        &self,
        destination: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<FullDeadLetter>, StoreError> {
        loop {
            let name = destination.to_owned();
            let page =
                self.readers().read(move |snapshot| replay::page(snapshot, &name, after, limit)).await?;
            if page.damaged.is_empty() {
                return Ok(page.letters);
            }
            tracing::error!(destination, letters = ?page.damaged, "dead letters are damaged and cannot be replayed");
            self.change_page(destination, LetterAction::Unmark, page.damaged).await?;
            if !page.letters.is_empty() {
                return Ok(page.letters);
            }
        }
    }

    /// Marked letters that are still to be sent.
    pub async fn replays_waiting(&self, destination: &str) -> Result<u64, StoreError> {
        let name = destination.to_owned();
        self.readers()
            .read(move |snapshot| {
                destination::get(snapshot, &name)?;
                Ok(dead_letter_limit::totals(snapshot, &name)?.replays)
            })
            .await
    }

    /// Changes after each commit that has marked letters. Marks from before a restart are there without a change.
    pub fn replay_requests(&self) -> watch::Receiver<u64> {
        self.0.marked.clone()
    }

    /// Drops letters for good: they count as discarded from now on. Gives how many. When this fails midway, what was
    /// discarded stays discarded.
    pub async fn discard(&self, destination: &str, selection: Selection) -> Result<u64, StoreError> {
        self.change_letters(destination, selection, LetterAction::Discard).await
    }

    async fn change_letters(
        &self,
        destination: &str,
        selection: Selection,
        action: LetterAction,
    ) -> Result<u64, StoreError> {
        match selection {
            Selection::All => self.change_all_letters(destination, action).await,
            Selection::Ids(ids) => {
                let mut changed = 0;
                // At least once, so that an unknown destination is an error also without letters.
                for page in ids.chunks(PAGE as usize).chain(ids.is_empty().then_some(&[][..])) {
                    changed += self.change_page(destination, action, page.to_vec()).await?;
                }
                Ok(changed)
            }
        }
    }

    async fn change_all_letters(&self, destination: &str, action: LetterAction) -> Result<u64, StoreError> {
        let name = destination.to_owned();
        let last = self
            .readers()
            .read(move |snapshot| {
                destination::get(snapshot, &name)?;
                Ok::<_, StoreError>(dead_letter::last(snapshot, &name)?)
            })
            .await?;
        // Letters that come while this runs are not meant.
        let Some(last) = last else { return Ok(0) };
        let (mut after, mut changed) = (0, 0);
        loop {
            let name = destination.to_owned();
            let read = move |snapshot: &rusqlite::Transaction<'_>| {
                Ok::<_, StoreError>(dead_letter::ids(snapshot, &name, after, last, PAGE)?)
            };
            let ids = self.readers().read(read).await?;
            let Some(&reached) = ids.last() else { return Ok(changed) };
            changed += self.change_page(destination, action, ids).await?;
            after = reached;
        }
    }

    async fn change_page(
        &self,
        destination: &str,
        action: LetterAction,
        ids: Vec<i64>,
    ) -> Result<u64, StoreError> {
        let destination = destination.to_owned();
        self.0.queue.change(Change::Letters { destination, action, ids }).await
    }
}

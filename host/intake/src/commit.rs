//! Storing the events of one request or portion, and counting them when they are stored.
//!
//! A producer may go away at any moment, and with it whoever waits for the answer. The log has the events by then, or will
//! have them; so storing and counting are a task of their own, which ends when the log has answered.

use std::sync::Arc;
use std::time::Instant;

use crate::answer::RequestError;
use crate::batch::Batch;
use crate::disk_notice::DiskNotice;
use crate::event_log::{Append, Appended, EventLog, Idempotency};
use crate::memory::Reservation;
use crate::source::ActiveSource;

#[derive(Clone)]
pub(crate) struct Commit {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) disk_notice: Arc<DiskNotice>,
}

/// What is stored, and what is counted with it.
pub(crate) struct Portion {
    /// Its events are taken out of it.
    pub(crate) batch: Batch,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) memory: Reservation,
    /// Whoever fetches events logs what is refused, with its place.
    pub(crate) is_fetched: bool,
}

impl Commit {
    /// The batch comes back without its events.
    pub(crate) async fn run(
        &self,
        portion: Portion,
        source: &Arc<ActiveSource>,
    ) -> Result<(Appended, Batch), RequestError> {
        let paid = portion.batch.events.len() + portion.batch.refused_count();
        source.pay(paid, Instant::now())?;
        let (commit, source) = (self.clone(), Arc::clone(source));
        let stored = tokio::spawn(async move {
            let stored = commit.store(portion, &source).await;
            if !matches!(stored, Ok((Appended::Stored, _))) {
                source.pay_back(paid);
            }
            stored
        });
        stored.await.unwrap_or(Err(RequestError::Stopping))
    }

    async fn store(
        &self,
        portion: Portion,
        source: &ActiveSource,
    ) -> Result<(Appended, Batch), RequestError> {
        let Portion { mut batch, idempotency, memory, is_fetched } = portion;
        let events = std::mem::take(&mut batch.events);
        let accepted = events.len();
        let organization = source.source.organization.clone();
        let appended = self.log.append(Append { organization, events, idempotency }).await;
        drop(memory);
        self.disk_notice.appended(&appended);
        let appended = appended?;
        match &appended {
            Appended::Stored => {
                source.counters.count_accepted(accepted);
                source.counters.redacted.add(batch.redacted);
                source.counters.unknown_versions.add(&source.source.name, &batch.unknown_versions);
                source.count_refused(&batch);
                if !is_fetched {
                    source.log_refused(&batch);
                }
            }
            Appended::Repeated { .. } => source.counters.repeated.add(1),
        }
        Ok((appended, batch))
    }
}

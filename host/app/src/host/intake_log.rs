//! The store, as the intake sees it.

use siemaphore_intake::{Append, AppendError, Appended, EventLog, LogFuture};
use siemaphore_store::Store;

/// Hands events to the store.
pub(crate) struct StoreLog {
    store: Store,
}

impl StoreLog {
    pub(crate) fn new(store: Store) -> StoreLog {
        StoreLog { store }
    }
}

impl EventLog for StoreLog {
    fn append(&self, append: Append) -> LogFuture<'_, Appended> {
        Box::pin(async move {
            let idempotency = append.idempotency.map(|promise| siemaphore_store::Idempotency {
                source: promise.source,
                key: promise.key,
                digest: promise.digest,
                answer: promise.answer,
            });
            let append = siemaphore_store::Append {
                organization: append.organization,
                events: append.events,
                idempotency,
            };
            match self.store.append(append).await.map_err(refusal)? {
                siemaphore_store::Appended::Stored { .. } => Ok(Appended::Stored),
                siemaphore_store::Appended::Repeated { answer } => Ok(Appended::Repeated { answer }),
            }
        })
    }

    fn repeated<'a>(
        &'a self,
        source: &'a str,
        key: &'a str,
        digest: &'a [u8; 32],
    ) -> LogFuture<'a, Option<String>> {
        Box::pin(async move { self.store.repeated(source, key, digest).await.map_err(refusal) })
    }
}

fn refusal(error: siemaphore_store::AppendError) -> AppendError {
    match error {
        siemaphore_store::AppendError::DiskReserve { free_bytes, reserve_bytes } => {
            AppendError::DiskReserve { free_bytes, reserve_bytes }
        }
        siemaphore_store::AppendError::KeyReused => AppendError::KeyReused,
        siemaphore_store::AppendError::Closed => AppendError::Closed,
        error @ siemaphore_store::AppendError::Storage(_) => AppendError::Storage(error.to_string()),
    }
}

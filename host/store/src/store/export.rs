//! What goes out of the store as a whole: blocks for an export, damaged blocks, a backup.

use crate::Store;
use crate::backup::{self, BackupProgress, BackupSummary};
use crate::block::BlockId;
use crate::damage::{self, DamagedBlock};
use crate::error::{StorageError, StoreError};
use crate::read::{self, StoredBlock};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

impl Store {
    /// Blocks that were stored at or after a time, of one organisation or of all, the oldest first, after the position
    /// of a block; a thousand at most. [`load`](Store::load) gives their events.
    pub async fn blocks_since(
        &self,
        since_ms: u64,
        organization: Option<&str>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredBlock>, StoreError> {
        let organization = organization.map(str::to_owned);
        self.readers()
            .read(move |snapshot| {
                Ok(read::blocks_since(snapshot, since_ms, organization.as_deref(), after, limit)?)
            })
            .await
    }

    /// What was found damaged and set aside, the oldest position first.
    pub async fn damaged_blocks(&self) -> Result<Vec<DamagedBlock>, StoreError> {
        self.readers().read(move |snapshot| Ok(damage::list(snapshot)?)).await
    }

    /// The bytes of a damaged block as they were found; none when nothing could be read or it is not kept any more.
    pub async fn damaged_data(&self, block: BlockId) -> Result<Option<Vec<u8>>, StoreError> {
        self.readers().read(move |snapshot| Ok(damage::data(snapshot, block)?)).await
    }

    /// Writes a consistent copy of the whole store to a new file, readable by its owner only, while the host goes on.
    ///
    /// The copy is on disk when this returns. A file that is there already is never overwritten; what could not be
    /// finished is removed, also when this future is dropped.
    pub async fn backup(
        &self,
        to: PathBuf,
        progress: impl Fn(BackupProgress) + Send + 'static,
    ) -> Result<BackupSummary, StoreError> {
        let abandoned = Arc::new(AtomicBool::new(false));
        let _guard = AbandonOnDrop(Arc::clone(&abandoned));
        let inner = Arc::clone(&self.0);
        let job = tokio::task::spawn_blocking(move || {
            // The store cannot be closed under a backup: `inner` is held.
            let _entered = inner.readers.enter();
            let _pin = inner.pins.pin();
            backup::run(&inner.config, &to, &abandoned, progress)
        });
        job.await
            .map_err(|error| StorageError::file("back up to", "store.db")(std::io::Error::other(error)))?
    }
}

/// Tells a backup that nobody waits for it any more.
struct AbandonOnDrop(Arc<AtomicBool>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

//! A few read connections, used from blocking threads.
//!
//! Each read is one short snapshot: no read transaction outlives the closure that runs in it, so the write-ahead log
//! can always be emptied, and none is ever held while a SIEM is waited for.

use crate::config::StoreConfig;
use crate::error::StorageError;
use crate::queue::Stopped;
use crate::schema;
use rusqlite::{Connection, Transaction};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Reads are short, and few cores serve them.
const CONNECTIONS: usize = 4;

pub(crate) struct Readers {
    config: StoreConfig,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(config: StoreConfig) -> Readers {
        Readers { config, idle: Mutex::default(), permits: Arc::new(Semaphore::new(CONNECTIONS)) }
    }

    /// Runs `read` on a blocking thread, in one snapshot of the store.
    pub(crate) async fn read<T, E, F>(self: &Arc<Self>, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Stopped> + From<StorageError> + Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Stopped)?;
        let readers = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let result = readers.read_here(read);
            drop(permit);
            result
        });
        reading.await.map_err(|_| Stopped)?
    }

    /// Waits for the reads that run, and closes their connections.
    pub(crate) async fn close(&self) {
        // Not an error when it is closed already.
        drop(self.permits.acquire_many(CONNECTIONS as u32).await);
        self.permits.close();
        self.idle().clear();
    }

    fn read_here<T, E, F>(&self, read: F) -> Result<T, E>
    where
        E: From<StorageError>,
        F: FnOnce(&Transaction<'_>) -> Result<T, E>,
    {
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => schema::open_reader(&self.config)?,
        };
        let snapshot = connection.transaction().map_err(StorageError::from)?;
        let result = read(&snapshot);
        snapshot.finish().map_err(StorageError::from)?;
        self.idle().push(connection);
        result
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // The list of connections is whole even when a reader has panicked.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! A few read connections, used from blocking threads.
//!
//! Each read is one short snapshot: no read transaction outlives the closure that runs in it, so the write-ahead log
//! can always be emptied, and none is ever held while a SIEM is waited for.
//!
//! A reader that finds the file damaged tells the writer, which rebuilds it while no reader is let in.

use crate::config::StoreConfig;
use crate::error::{HasStorage, StorageError};
use crate::queue::{DamageReports, Stopped};
use crate::schema;
use rusqlite::{Connection, Transaction};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::Semaphore;

/// Reads are short, and few cores serve them.
const CONNECTIONS: usize = 4;

pub(crate) struct Readers {
    config: StoreConfig,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
    /// Held for reading while a connection to the file is in use.
    gate: RwLock<()>,
    /// Counts the files: a report of damage is about the file that was read.
    generation: AtomicU64,
    damage: DamageReports,
}

impl Readers {
    pub(crate) fn new(config: StoreConfig, damage: DamageReports) -> Readers {
        Readers {
            config,
            idle: Mutex::default(),
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
            gate: RwLock::default(),
            generation: AtomicU64::new(0),
            damage,
        }
    }

    /// Runs `read` on a blocking thread, in one snapshot of the store.
    pub(crate) async fn read<T, E, F>(self: &Arc<Self>, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Stopped> + From<StorageError> + HasStorage + Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Stopped)?;
        let readers = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let result = readers.read_here(read);
            drop(permit);
            result
        });
        let (generation, result) = reading.await.map_err(|_| Stopped)?;
        if let Err(error) = &result
            && let Some(error) = error.storage().filter(|error| error.is_corrupt())
        {
            // The caller's next try finds the file rebuilt.
            self.damage.repair(generation, error).await;
        }
        result
    }

    /// Waits for the reads that run, and closes their connections.
    pub(crate) async fn close(&self) {
        // Not an error when it is closed already.
        drop(self.permits.acquire_many(CONNECTIONS as u32).await);
        self.permits.close();
        self.idle().clear();
    }

    /// Keeps the file in its place as long as the guard is held.
    pub(crate) fn enter(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for those who read, closes their connections, and lets nobody in while the guard is held.
    pub(crate) fn shut_out(&self) -> RwLockWriteGuard<'_, ()> {
        let guard = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.idle().clear();
        self.generation.fetch_add(1, Ordering::SeqCst);
        guard
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Reads, and says which file was read.
    fn read_here<T, E, F>(&self, read: F) -> (u64, Result<T, E>)
    where
        E: From<StorageError>,
        F: FnOnce(&Transaction<'_>) -> Result<T, E>,
    {
        let _entered = self.enter();
        (self.generation(), self.read_once(read))
    }

    fn read_once<T, E, F>(&self, read: F) -> Result<T, E>
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

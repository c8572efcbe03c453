//! The handle that the rest of the host holds.

mod export;
mod inspect;
mod letters;

pub use inspect::KnownDestination;

use crate::append::{Append, Appended};
use crate::backup::Pins;
use crate::block::BlockId;
use crate::change::Change;
use crate::config::StoreConfig;
use crate::destination::Registration;
use crate::error::{AppendError, LoadError, StorageError, StoreError};
use crate::folder::{self, Lock};
use crate::grant::{self, Grant};
use crate::ledger::{self, Ledger};
use crate::queue::Queue;
use crate::read::{self, BlockHeader};
use crate::readers::Readers;
use crate::settle::Settlement;
use crate::status::{self, StoreStatus};
use crate::writer::{Announcements, Writer};
use crate::{idempotency, log_row, schema};
use siemaphore_model::EventBuffer;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// An open store. Clones share it.
///
/// Dropping the last clone finishes what is queued and releases the store; [`close`](Store::close) does the same
/// without blocking a thread. Methods that write return after their commit is on disk; dropping their future does not
/// undo what is already queued. They need a tokio runtime.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    config: StoreConfig,
    queue: Queue,
    readers: Arc<Readers>,
    appended: watch::Receiver<u64>,
    marked: watch::Receiver<u64>,
    pins: Pins,
    commits: Arc<AtomicU64>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the store, or creates it. Blocks until the file is ready, also for the recovery after a crash.
    pub fn open(config: StoreConfig) -> Result<Store, StoreError> {
        folder::create(&config.folder)?;
        let lock = Lock::take(&config.folder)?;
        let connection = schema::open_sound(&config)?;
        let next_position = log_row::read(&connection)?.next_position;
        let (announce_appended, appended) = watch::channel(next_position);
        let (announce_marked, marked) = watch::channel(0);
        let pins = Pins::default();
        let (queue, commands) = Queue::new();
        let commits = Arc::new(AtomicU64::new(0));
        let announcements = Announcements {
            appended: announce_appended,
            marked: announce_marked,
            commits: Arc::clone(&commits),
        };
        let readers = Arc::new(Readers::new(config.clone(), queue.damage_reports()));
        let writer = Writer::new(
            config.clone(),
            connection,
            commands,
            lock,
            announcements,
            Arc::clone(&readers),
            pins.clone(),
        )?;
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(StorageError::file("start the writer thread of", &config.folder))?;
        let writer = Mutex::new(Some(writer));
        Ok(Store(Arc::new(Inner { config, queue, readers, appended, marked, pins, commits, writer })))
    }

    /// Stores events. When this returns `Stored`, they are on disk.
    ///
    /// Of two concurrent appends with the same idempotency key one stores, the other gets its answer.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.0.queue.append(append).await
    }

    /// The answer to a request that is already stored, before any work is spent on it.
    pub async fn repeated(
        &self,
        source: &str,
        key: &str,
        digest: &[u8; 32],
    ) -> Result<Option<String>, AppendError> {
        let (source, key, digest) = (source.to_owned(), key.to_owned(), *digest);
        let now_ms = self.0.config.clock.now_ms();
        self.0.readers.read(move |snapshot| idempotency::find(snapshot, &source, &key, &digest, now_ms)).await
    }

    /// Makes a destination known and active. The first time places its cursor; later only the limits change.
    pub async fn open_destination(&self, registration: Registration) -> Result<(), StoreError> {
        self.change(Change::OpenDestination(registration)).await
    }

    /// Makes all other destinations inactive: they keep their counters but hold no block any more.
    pub async fn retain_destinations(&self, destinations: &[String]) -> Result<(), StoreError> {
        self.change(Change::RetainDestinations(destinations.to_vec())).await
    }

    /// The first block of the destination's organisation with an unsettled event at a position of at least `from`.
    pub async fn next_block(&self, destination: &str, from: u64) -> Result<Option<BlockHeader>, StoreError> {
        let destination = destination.to_owned();
        self.0.readers.read(move |snapshot| read::next_block(snapshot, &destination, from)).await
    }

    /// The events of a block. Reading, checking and decompressing happen on a blocking thread.
    pub async fn load(&self, block: BlockId) -> Result<Arc<EventBuffer>, LoadError> {
        self.0
            .readers
            .read(move |snapshot| {
                let (seal, data) = read::load(snapshot, block)?;
                read::open(block, seal, &data).map(Arc::new)
            })
            .await
    }

    /// Records what became of events, all of it or nothing. Positions that are settled already stay as they are.
    pub async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.change(Change::Settle(settlement)).await
    }

    /// Takes a block out of the log that [`load`](Store::load) found damaged. Its bytes are kept aside, its unsettled
    /// events are counted as `damaged` for every destination.
    pub async fn drop_damaged(&self, block: BlockId) -> Result<(), StoreError> {
        self.change(Change::DropDamaged(block)).await
    }

    pub async fn ledger(&self, destination: &str) -> Result<Ledger, StoreError> {
        let destination = destination.to_owned();
        self.0.readers.read(move |snapshot| ledger::read(snapshot, &destination)).await
    }

    /// The next free position; changes after each commit that stored events.
    pub fn appended(&self) -> watch::Receiver<u64> {
        self.0.appended.clone()
    }

    /// What the operator has granted for a destination, if anything.
    pub async fn granted(&self, destination: &str) -> Result<Option<Grant>, StoreError> {
        let destination = destination.to_owned();
        self.0.readers.read(move |snapshot| Ok(grant::find(snapshot, &destination)?)).await
    }

    pub async fn grant(&self, destination: &str, grant: Grant) -> Result<(), StoreError> {
        let destination = destination.to_owned();
        self.change(Change::Grant { destination, grant }).await
    }

    /// Does now what otherwise happens at the next commit or when something is due: expires, deletes, shrinks. Each
    /// call takes a bounded number of steps.
    pub async fn expire(&self) -> Result<(), StoreError> {
        self.change(Change::Expire).await
    }

    pub async fn status(&self) -> Result<StoreStatus, StoreError> {
        let config = self.0.config.clone();
        let commits = self.0.commits.load(Ordering::Relaxed);
        self.0.readers.read(move |snapshot| status::read(snapshot, &config, commits)).await
    }

    async fn change(&self, change: Change) -> Result<(), StoreError> {
        self.0.queue.change(change).await.map(drop)
    }

    fn readers(&self) -> &Arc<Readers> {
        &self.0.readers
    }

    /// Finishes what is queued, empties the write-ahead log and releases the store. Later calls say `Closed`.
    pub async fn close(&self) {
        self.0.readers.close().await;
        // An error means that the writer has ended already.
        drop(self.0.queue.close().await);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.queue.close());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the store's writer thread has panicked");
        }
    }
}

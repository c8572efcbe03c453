//! The way to the writer: a queue that is bounded by the bytes that wait in it.
//!
//! A caller first takes room for what it brings, and waits while there is none; the room is given back when its commit
//! has been answered. So memory stays bounded however slow the disk is, and nothing that is queued is dropped.

use crate::append::{Append, Appended};
use crate::change::Change;
use crate::error::{AppendError, LoadError, StorageError, StoreError};
use std::sync::{Arc, mpsc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// What may wait for the writer, in KiB: 64 MiB.
const ROOM_KIB: u32 = 64 << 10;

/// All that can be asked of the writer.
pub(crate) enum Command {
    Append(Append, Answer<Appended, AppendError>),
    /// Answered with how many dead letters were changed.
    Change(Change, Answer<u64, StoreError>),
    /// A reader has found the file damaged.
    Damage(Damage),
    /// Finish what is queued, then stop.
    Close(oneshot::Sender<()>),
}

/// Which file was found damaged, and how.
#[derive(Debug)]
pub(crate) struct Damage {
    pub(crate) generation: u64,
    pub(crate) reason: String,
    /// Answered when the writer has done what it could.
    pub(crate) repaired: oneshot::Sender<()>,
}

/// Where readers tell the writer of damage.
pub(crate) struct DamageReports(mpsc::Sender<Queued>);

impl DamageReports {
    pub(crate) async fn repair(&self, generation: u64, error: &StorageError) {
        let (repaired, repair) = oneshot::channel();
        let damage = Damage { generation, reason: error.to_string(), repaired };
        // A writer that has ended has nothing to repair.
        drop(self.0.send(Queued { command: Command::Damage(damage), room: None }));
        repair.await.ok();
    }
}

pub(crate) type Answer<T, E> = oneshot::Sender<Result<T, E>>;

pub(crate) struct Queued {
    pub(crate) command: Command,
    /// None for what must not wait for room: closing, reports of damage.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

/// The store was closed before the question was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

impl From<Stopped> for StoreError {
    fn from(_: Stopped) -> StoreError {
        StoreError::Closed
    }
}

impl From<Stopped> for AppendError {
    fn from(_: Stopped) -> AppendError {
        AppendError::Closed
    }
}

impl From<Stopped> for LoadError {
    fn from(_: Stopped) -> LoadError {
        LoadError::Closed
    }
}

#[derive(Debug)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
}

impl Queue {
    pub(crate) fn new() -> (Queue, mpsc::Receiver<Queued>) {
        let (sender, receiver) = mpsc::channel();
        (Queue { sender, room: Arc::new(Semaphore::new(ROOM_KIB as usize)) }, receiver)
    }

    pub(crate) fn damage_reports(&self) -> DamageReports {
        DamageReports(self.sender.clone())
    }

    pub(crate) async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let bytes = append.events.as_bytes().len();
        let (answer, answered) = oneshot::channel();
        self.send(Command::Append(append, answer), bytes).await?;
        answered.await.map_err(|_| Stopped)?
    }

    pub(crate) async fn change(&self, change: Change) -> Result<u64, StoreError> {
        let bytes = change.bytes();
        let (answer, answered) = oneshot::channel();
        self.send(Command::Change(change, answer), bytes).await?;
        answered.await.map_err(|_| Stopped)?
    }

    /// Takes no more, and tells the writer to stop after what is queued. Gives where its end will be told.
    pub(crate) fn close(&self) -> oneshot::Receiver<()> {
        self.room.close();
        let (ended, end) = oneshot::channel();
        // When the writer is gone already, `ended` is dropped here, which tells the same.
        drop(self.sender.send(Queued { command: Command::Close(ended), room: None }));
        end
    }

    async fn send(&self, command: Command, bytes: usize) -> Result<(), Stopped> {
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(ROOM_KIB).min(ROOM_KIB);
        let room = Arc::clone(&self.room).acquire_many_owned(kib).await.map_err(|_| Stopped)?;
        self.sender.send(Queued { command, room: Some(room) }).map_err(|_| Stopped)
    }
}

//! What can go wrong, by who decides what happens next.
//!
//! [`AppendError`] is for intake (try again later, or the caller's mistake), [`LoadError`] for pipelines (skip or drop
//! the block), [`StoreError`] for everything else. [`StorageError`] is the disk or the database itself; it can be
//! cloned because one failed commit answers all callers of its group.

use crate::BlockId;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the store {folder} is used by another host (process {pid}): stop that one, or give this one another folder",
        folder = folder.display()
    )]
    Locked { folder: PathBuf, pid: String },
    #[error("{path} is not a store of this product", path = path.display())]
    Foreign { path: PathBuf },
    #[error(
        "the store {path} has format version {found}, this host knows versions up to {supported}: \
         start the newer version of the host that wrote it, or give this one another folder",
        path = path.display()
    )]
    FormatVersion { path: PathBuf, found: i64, supported: i64 },
    #[error("the destination {destination:?} is unknown to the store")]
    UnknownDestination { destination: String },
    #[error("the destination {destination:?} belongs to organisation {registered:?}, not to {asked:?}")]
    OtherOrganization { destination: String, registered: String, asked: String },
    #[error(
        "the destination {destination:?} would have {runs} separate settled runs, {limit} is the limit: \
         settle the oldest unsettled events first"
    )]
    TooFragmented { destination: String, runs: usize, limit: usize },
    #[error("the dead letter for position {position} holds {events} events instead of one")]
    NotOneEvent { position: u64, events: usize },
    #[error(
        "the dead letters of {destination:?} have reached their limit of {limit_bytes} bytes: \
         replay or discard some, or raise the limit"
    )]
    DeadLettersFull { destination: String, limit_bytes: u64 },
    #[error("a copy at {path} needs {needed_bytes} bytes of free space, there are {free_bytes}", path = path.display())]
    NoRoom { path: PathBuf, needed_bytes: u64, free_bytes: u64 },
    #[error("nobody waits any more for the backup to {path}", path = path.display())]
    Abandoned { path: PathBuf },
    #[error("the block at position {first} is not damaged", first = .0.0)]
    NotDamaged(BlockId),
    #[error("the store is closed")]
    Closed,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    #[error("the disk has {free_bytes} bytes free, fewer than the reserve of {reserve_bytes}")]
    DiskReserve { free_bytes: u64, reserve_bytes: u64 },
    #[error("the idempotency key was used before with different events")]
    KeyReused,
    #[error("the store is closed")]
    Closed,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum LoadError {
    #[error("the block at position {first} is gone", first = .0.0)]
    Gone(BlockId),
    #[error("the block at position {first} is damaged: {reason}", first = block.0)]
    Damaged { block: BlockId, reason: String },
    #[error("the store is closed")]
    Closed,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The disk or the database failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    #[error("the store's database failed: {0}")]
    Database(Arc<rusqlite::Error>),
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File { action: &'static str, path: PathBuf, source: Arc<std::io::Error> },
    #[error("the store's row of {what} is damaged")]
    DamagedRow { what: String },
    #[error("the store's file is damaged: {reason}")]
    DamagedFile { reason: &'static str },
    #[error("cannot compress a block: {0}")]
    Compression(Arc<std::io::Error>),
}

impl StorageError {
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> StorageError {
        let path = path.into();
        move |source| StorageError::File { action, path, source: Arc::new(source) }
    }

    /// Whether more space might help. A full disk shows as SQLITE_FULL from writes, but as a plain I/O error from
    /// syncing and from growing the shared-memory file.
    pub(crate) fn may_be_full(&self) -> bool {
        use rusqlite::ErrorCode::{DiskFull, SystemIoFailure};
        match self {
            StorageError::Database(error) => {
                matches!(error.sqlite_error_code(), Some(DiskFull | SystemIoFailure))
            }
            _ => false,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        match self {
            StorageError::Database(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            _ => false,
        }
    }

    /// Whether the database file itself is damaged where it was read: its pages, or a value that no version has written.
    pub(crate) fn is_corrupt(&self) -> bool {
        use rusqlite::Error::{
            FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
        };
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            StorageError::Database(error) => match error.as_ref() {
                Utf8Error(..)
                | InvalidColumnType(..)
                | IntegralValueOutOfRange(..)
                | FromSqlConversionFailure(..) => true,
                error => matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)),
            },
            StorageError::DamagedFile { .. } => true,
            _ => false,
        }
    }
}

impl StoreError {
    pub(crate) fn is_corrupt(&self) -> bool {
        self.storage().is_some_and(StorageError::is_corrupt)
    }
}

/// The errors that may have the database's own inside.
pub(crate) trait HasStorage {
    fn storage(&self) -> Option<&StorageError>;
}

impl HasStorage for StoreError {
    fn storage(&self) -> Option<&StorageError> {
        match self {
            StoreError::Storage(error) => Some(error),
            _ => None,
        }
    }
}

impl HasStorage for AppendError {
    fn storage(&self) -> Option<&StorageError> {
        match self {
            AppendError::Storage(error) => Some(error),
            _ => None,
        }
    }
}

impl HasStorage for LoadError {
    fn storage(&self) -> Option<&StorageError> {
        match self {
            LoadError::Storage(error) => Some(error),
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> StorageError {
        StorageError::Database(Arc::new(error))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        StoreError::Storage(error.into())
    }
}

impl From<rusqlite::Error> for LoadError {
    fn from(error: rusqlite::Error) -> LoadError {
        LoadError::Storage(error.into())
    }
}

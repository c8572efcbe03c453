//! The log that makes "accepted" mean "on disk", how far each destination has settled it, and the dead letters: all in
//! one SQLite file.
//!
//! - Events lie in blocks of one organisation, at positions that only grow and are never reused.
//! - One thread writes, in groups: [`Store::append`] and [`Store::settle`] return after their commit was synced.
//! - A destination owns a cursor and settled runs above it. Settling, counting and dead-lettering are one transaction,
//!   so the [`Ledger`] adds up at any moment, also after a crash.
//! - What nobody waits for is deleted after [`Keep`]; what is waited for ends only by an age or size limit, counted.
//! - Dead letters stay until they have arrived ([`Store::request_replay`]), are discarded, or exceed their own
//!   [`DeadLetterLimit`].
//! - Below the disk reserve appends are refused, settling goes on.
//! - A damaged file is rebuilt from every page that can be read, at the start or while the store is open; what is lost
//!   is counted. Older formats are migrated at the start.
//!
//! One host owns the folder at a time. Nothing here knows what a SIEM or a plugin is.
#![forbid(unsafe_code)]

mod append;
mod backup;
mod block;
mod block_row;
mod change;
mod config;
mod cursor;
mod damage;
mod dead_letter;
mod dead_letter_limit;
mod destination;
mod disk;
mod error;
mod expiry;
mod folder;
mod fullness;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod grant;
mod group;
mod idempotency;
mod ledger;
mod log_row;
mod migrate;
mod queue;
mod ranges;
mod read;
mod readers;
mod recover;
mod replay;
mod salvage;
mod schema;
mod settle;
mod snapshot;
mod status;
mod store;
mod vacuum;
mod writer;

pub use append::{Append, Appended};
pub use backup::{BackupProgress, BackupSummary};
pub use block::{BlockId, EventTypes};
pub use config::{
    Clock, DEFAULT_BALLAST_BYTES, DEFAULT_DISK_RESERVE_BYTES, DEFAULT_SIZE_LIMIT_BYTES, FreeSpace, Keep,
    StoreConfig,
};
pub use damage::DamagedBlock;
pub use dead_letter::{AttemptRecord, DeadLetter, FullDeadLetter, NewDeadLetter, Selection};
pub use dead_letter_limit::{DeadLetterLimit, WhenFull};
pub use destination::{Registration, Start};
pub use error::{AppendError, LoadError, StorageError, StoreError};
pub use grant::Grant;
pub use idempotency::Idempotency;
pub use ledger::Ledger;
pub use read::{BlockHeader, StoredBlock};
pub use replay::FailedReplay;
pub use settle::Settlement;
pub use status::StoreStatus;
pub use store::{KnownDestination, Store};

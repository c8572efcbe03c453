//! The database file: how it is opened, and which format it has.
//!
//! WAL with `synchronous=FULL`: a commit returns after its one fsync. `auto_vacuum` can only be chosen before the
//! first table exists. Format versions are in `user_version`, and `application_id` tells our files from others.

use crate::config::StoreConfig;
use crate::error::{StorageError, StoreError};
use crate::folder;
use crate::migrate::{self, FORMAT_VERSION};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// "SIEM" in ASCII.
const APPLICATION_ID: i64 = 0x5349_454d;
/// Blocks are large; fewer and larger pages mean fewer writes.
const PAGE_BYTES: i64 = 16 << 10;
/// The write-ahead log is copied into the file when it has this many pages (16 MiB). Larger than SQLite's default
/// because one commit under load is already several megabytes, and each copy costs two more syncs.
const CHECKPOINT_PAGES: i64 = 1024;
/// What a burst may leave of the write-ahead log on disk.
const JOURNAL_LIMIT_BYTES: i64 = 16 << 20;
/// Only the first moment of a checkpoint can make a reader wait.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const STATEMENTS: usize = 64;
/// Holds what one commit changes, so that pages are not written twice.
const WRITER_CACHE_KIB: i64 = 16 << 10;

pub(crate) fn path(config: &StoreConfig) -> PathBuf {
    config.folder.join("store.db")
}

/// Opens the writing connection, and makes or checks the file's format.
pub(crate) fn open_writer(config: &StoreConfig) -> Result<Connection, StoreError> {
    let path = path(config);
    let mut connection = open(config, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    // Before the first write: also a new file and a migration have to survive a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_LIMIT_BYTES)?;
    // Negative: in KiB and not in pages.
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    match format_of(&connection)? {
        Format::Empty => create(&mut connection, &config.folder)?,
        Format::Version(found) if migrate::is_known(found) => {
            use_wal(&connection)?;
            migrate::run(&mut connection, found)?;
        }
        Format::Version(found) => {
            return Err(StoreError::FormatVersion { path, found, supported: FORMAT_VERSION });
        }
        Format::Foreign => return Err(StoreError::Foreign { path }),
    }
    Ok(connection)
}

pub(crate) fn open_reader(config: &StoreConfig) -> Result<Connection, StorageError> {
    let connection = open(config, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// How large the write-ahead log is.
pub(crate) fn journal_bytes(config: &StoreConfig) -> u64 {
    std::fs::metadata(config.folder.join("store.db-wal")).map_or(0, |file| file.len())
}

/// Copies the write-ahead log into the file and empties it.
pub(crate) fn checkpoint(connection: &Connection) -> Result<(), StorageError> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

fn open(config: &StoreConfig, flags: OpenFlags) -> Result<Connection, StorageError> {
    let path = path(config);
    // Each connection is used by one thread at a time, which SQLite need not check again.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match &config.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(&path, flags, vfs.as_str())?,
        None => Connection::open_with_flags(&path, flags)?,
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // No files outside our folder, and none that a full disk could refuse.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

enum Format {
    Empty,
    Version(i64),
    Foreign,
}

fn format_of(connection: &Connection) -> Result<Format, StoreError> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (tables, number("application_id")?) {
        (0, 0) => Format::Empty,
        (_, APPLICATION_ID) => Format::Version(number("user_version")?),
        _ => Format::Foreign,
    })
}

fn create(connection: &mut Connection, folder: &Path) -> Result<(), StoreError> {
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    use_wal(connection)?;
    // All in one transaction, so that a crash leaves an empty file or a whole one.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(include_str!("schema.sql"))?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT_VERSION)?;
    transaction.commit()?;
    Ok(folder::sync(folder)?)
}

fn use_wal(connection: &Connection) -> Result<(), StorageError> {
    Ok(connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?)
}

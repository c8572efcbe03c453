//! The database file: how it is opened, and which format it has.
//!
//! WAL with `synchronous=FULL`: a commit returns after its one fsync. `auto_vacuum` can only be chosen before the
//! first table exists. Format versions are in `user_version`, and `application_id` tells our files from others.

use crate::config::StoreConfig;
use crate::error::{StorageError, StoreError};
use crate::folder;
use crate::log_row;
use crate::migrate::{self, FORMAT_VERSION};
use crate::recover;
use crate::snapshot::Snapshot;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::collections::BTreeSet;
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

/// Opens the writing connection; a file that turns out to be damaged is rebuilt first.
pub(crate) fn open_sound(config: &StoreConfig) -> Result<Connection, StoreError> {
    recover::resume(config)?;
    if is_gone(config) {
        recover::run(config, "it is empty or missing, and there were destinations in it")?;
    }
    let skip_positions = recover::lose_damaged_commits(config)?;
    let opened = open_writer(config).and_then(|connection| {
        probe(&connection)?;
        if skip_positions {
            let next = log_row::read(&connection)?.next_position;
            log_row::set_next_position(&connection, next.saturating_add(recover::UNKNOWN_POSITIONS))?;
        }
        Ok(connection)
    });
    match opened {
        Err(error) if error.is_corrupt() => {
            recover::run(config, &error.to_string())?;
            open_writer(config)
        }
        opened => opened,
    }
}

/// A store that was used has left a snapshot of its destinations.
fn is_gone(config: &StoreConfig) -> bool {
    // SQLite takes a shorter file for an empty one.
    const SMALLEST_BYTES: u64 = 512;
    let is_empty = std::fs::metadata(path(config)).map_or(true, |file| file.len() < SMALLEST_BYTES);
    is_empty && Snapshot::exists(&config.folder)
}

/// Reads a row of each table, and all of the small ones, so that damage at the top of a tree shows before anything is promised. The rest is not
/// read here: it may be many gigabytes, and damage in it is found and repaired when it is met.
fn probe(connection: &Connection) -> Result<(), StorageError> {
    let expected = Connection::open_in_memory()?;
    expected.execute_batch(include_str!("schema.sql"))?;
    if !shape(&expected)?.is_subset(&shape(connection)?) {
        return Err(StorageError::DamagedFile { reason: "its tables are not what they were made as" });
    }
    const TABLES: [&str; 10] = [
        "log",
        "organizations",
        "destinations",
        "blocks",
        "block_data",
        "dead_letters",
        "replays",
        "idempotency_keys",
        "grants",
        "damaged_blocks",
    ];
    for table in TABLES {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} LIMIT 1"))?;
        let found = statement.query([])?.next()?.is_some();
        if table == "log" && !found {
            return Err(StorageError::DamagedFile { reason: "the log has no end" });
        }
    }
    log_row::read(connection)?;
    Snapshot::take(connection)?;
    // A position that was given out twice, or settled before it is, would lose an event without a trace.
    const BEYOND: &str = "SELECT EXISTS (SELECT 1 FROM log WHERE next_position < \
         (SELECT first + count FROM blocks ORDER BY first DESC LIMIT 1) \
         OR next_position < (SELECT max(settled_below) FROM destinations))";
    if connection.query_row(BEYOND, [], |row| row.get(0))? {
        return Err(StorageError::DamagedFile { reason: "the log ends before its last block or a cursor" });
    }
    Ok(())
}

/// Names and columns of the tables, indexes and triggers as they were written: the same in a new file and a migrated one.
fn shape(connection: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    const SHAPE: &str = "SELECT type || ' ' || name || iif(type = 'table', '', ifnull(sql, '')) FROM sqlite_schema \
         UNION ALL SELECT tables.name || '.' || columns.name || ' ' || columns.cid \
         FROM sqlite_schema AS tables JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'";
    let mut statement = connection.prepare(SHAPE)?;
    statement.query_map([], |row| row.get(0))?.collect()
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
        _ if has_our_tables(connection)? => {
            return Err(StorageError::DamagedFile { reason: "its header is not ours, its tables are" }.into());
        }
        _ => Format::Foreign,
    })
}

fn has_our_tables(connection: &Connection) -> rusqlite::Result<bool> {
    const OURS: &str = "SELECT count(*) = 4 FROM sqlite_schema \
         WHERE type = 'table' AND name IN ('log', 'block_data', 'destinations', 'dead_letters')";
    connection.query_row(OURS, [], |row| row.get(0))
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

/// Makes a new file elsewhere, without a journal: whoever fills it syncs it as a whole, and starts over after a crash.
/// It is no store of ours until it is [stamped](stamp).
pub(crate) fn create_at(path: &Path) -> Result<Connection, StorageError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(include_str!("schema.sql"))?;
    connection.execute_batch("BEGIN")?;
    Ok(connection)
}

/// Ends the filling of a new file.
pub(crate) fn stamp(connection: &Connection) -> Result<(), StorageError> {
    connection.execute_batch("COMMIT")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(connection.pragma_update(None, "user_version", FORMAT_VERSION)?)
}

fn use_wal(connection: &Connection) -> Result<(), StorageError> {
    Ok(connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?)
}

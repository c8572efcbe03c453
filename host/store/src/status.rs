//! The state of the store as a whole, for operators and metrics.

use crate::config::StoreConfig;
use crate::error::{StorageError, StoreError};
use crate::fullness;
use crate::log_row::{self, FileSize};
use rusqlite::{Connection, OptionalExtension};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// What counts towards the size limit: blocks, dead letters, keys.
    pub size_bytes: u64,
    pub size_limit_bytes: u64,
    /// Of `size_bytes`, what cannot go without expiring events: a destination waits for it, or it is a dead letter.
    pub needed_bytes: u64,
    /// From 80 % of the limit on.
    pub near_limit: bool,
    /// The database file, with space that will be used again or given back. The write-ahead log comes on top.
    pub file_bytes: u64,
    /// Free space of the file system.
    pub free_bytes: u64,
    pub disk_reserve_bytes: u64,
    pub blocks: u64,
    pub events: u64,
    /// When the oldest stored block was stored.
    pub oldest_ms: Option<u64>,
    pub dead_letters: u64,
    /// Blocks that were set aside because they were damaged.
    pub damaged_blocks: u64,
    /// Transactions since the store was opened.
    pub commits: u64,
    /// Whether appends are taken now.
    pub accepting: bool,
}

pub(crate) fn read(
    connection: &Connection,
    config: &StoreConfig,
    commits: u64,
) -> Result<StoreStatus, StoreError> {
    let number = |sql: &str| -> rusqlite::Result<u64> {
        connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
    };
    let free_bytes = config
        .free_space
        .of(&config.folder)
        .map_err(StorageError::file("read the free space of", &config.folder))?;
    let log = log_row::read(connection)?;
    let size = FileSize::read(connection)?;
    let needed_bytes = fullness::needed_bytes(connection)?;
    const OLDEST: &str = "SELECT stored_ms FROM blocks ORDER BY first LIMIT 1";
    Ok(StoreStatus {
        size_bytes: size.used_bytes(),
        size_limit_bytes: config.size_limit_bytes,
        needed_bytes,
        near_limit: fullness::is_near_limit(needed_bytes, config.size_limit_bytes),
        file_bytes: size.file_bytes(),
        free_bytes,
        disk_reserve_bytes: config.disk_reserve_bytes,
        blocks: log.blocks,
        events: log.events,
        oldest_ms: connection.prepare_cached(OLDEST)?.query_row([], |row| row.get(0)).optional()?,
        dead_letters: number("SELECT ifnull(sum(letters), 0) FROM dead_letter_totals")?,
        damaged_blocks: number("SELECT count(*) FROM damaged_blocks")?,
        commits,
        accepting: free_bytes >= config.disk_reserve_bytes,
    })
}

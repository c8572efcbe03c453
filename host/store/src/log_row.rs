//! The one row of `log` and the rows of `organizations`: where the log ends and what it holds.

use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogRow {
    /// The position that the next event gets. Never goes back, whatever is deleted.
    pub(crate) next_position: u64,
    pub(crate) blocks: u64,
    pub(crate) events: u64,
    /// Of all blocks.
    pub(crate) bytes: u64,
    /// Of the blocks that nobody waits for.
    pub(crate) kept_bytes: u64,
}

pub(crate) fn read(connection: &Connection) -> rusqlite::Result<LogRow> {
    const READ: &str = "SELECT next_position, blocks, events, bytes, kept_bytes FROM log";
    connection.prepare_cached(READ)?.query_row([], |row| {
        Ok(LogRow {
            next_position: row.get(0)?,
            blocks: row.get(1)?,
            events: row.get(2)?,
            bytes: row.get(3)?,
            kept_bytes: row.get(4)?,
        })
    })
}

pub(crate) fn set_next_position(connection: &Connection, next_position: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE log SET next_position = ?1")?.execute([next_position])?;
    Ok(())
}

/// Makes the organisation known; its totals are then kept by the triggers.
pub(crate) fn ensure_organization(connection: &Connection, organization: &str) -> rusqlite::Result<()> {
    const ENSURE: &str = "INSERT INTO organizations VALUES (?1, 0, 0) ON CONFLICT DO NOTHING";
    connection.prepare_cached(ENSURE)?.execute([organization])?;
    Ok(())
}

/// How many events of the organisation were ever accepted.
pub(crate) fn accepted(connection: &Connection, organization: &str) -> rusqlite::Result<u64> {
    const ACCEPTED: &str = "SELECT accepted FROM organizations WHERE name = ?1";
    let accepted =
        connection.prepare_cached(ACCEPTED)?.query_row([organization], |row| row.get(0)).optional()?;
    Ok(accepted.unwrap_or(0))
}

/// How many events each organisation ever had.
pub(crate) fn all_accepted(connection: &Connection) -> rusqlite::Result<BTreeMap<String, u64>> {
    let mut statement = connection.prepare_cached("SELECT name, accepted FROM organizations")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The organisation whose awaited blocks take most.
pub(crate) fn largest_organization(connection: &Connection) -> rusqlite::Result<Option<String>> {
    const LARGEST: &str =
        "SELECT name FROM organizations WHERE awaited_bytes > 0 ORDER BY awaited_bytes DESC, name LIMIT 1";
    connection.prepare_cached(LARGEST)?.query_row([], |row| row.get(0)).optional()
}

/// What the file uses, and what it has beside that, in pages and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileSize {
    pub(crate) pages: u64,
    pub(crate) free_pages: u64,
    pub(crate) page_bytes: u64,
}

impl FileSize {
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<FileSize> {
        let number = |pragma: &str| -> rusqlite::Result<u64> {
            connection.prepare_cached(pragma)?.query_row([], |row| row.get(0))
        };
        Ok(FileSize {
            pages: number("PRAGMA page_count")?,
            free_pages: number("PRAGMA freelist_count")?,
            page_bytes: number("PRAGMA page_size")?,
        })
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.pages.saturating_sub(self.free_pages).saturating_mul(self.page_bytes)
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.pages.saturating_mul(self.page_bytes)
    }
}

//! Gives the space of deleted blocks back to the file system, in small steps between commits.
//!
//! Some free pages stay: appends will use them again, and moving pages about for nothing costs writes.

use crate::log_row::FileSize;
use rusqlite::Connection;

/// 2 MiB.
const STEP_PAGES: u64 = 128;
/// One page in so many may be free.
const SLACK: u64 = 8;

/// Frees some pages if there are many; true when there are more to free.
pub(crate) fn step(connection: &Connection) -> rusqlite::Result<bool> {
    let size = FileSize::read(connection)?;
    let surplus = size.free_pages.saturating_sub(size.pages / SLACK);
    if surplus == 0 {
        return Ok(false);
    }
    let pages = surplus.min(STEP_PAGES);
    // The pragma frees one page for each row that it returns.
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(surplus > pages)
}

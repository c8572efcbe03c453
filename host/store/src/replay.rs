//! Sending dead letters again: the marks that ask for it, and what came of it.
//!
//! A marked letter stays a dead letter until its event has arrived; marks survive a restart. Their table is apart from
//! the letters, because SQLite writes a whole row anew, event and all, when one column changes.
//!
//! A letter that an operator discarded, or a limit expired, while it was being sent is no longer there when its result
//! comes: that changes nothing. Each event is counted once, by what ended it first, and the SIEM has received it once.

use crate::dead_letter::{self, AttemptRecord, FullDeadLetter};
use crate::error::{StorageError, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

/// The events of one page of replays together take at most this much, unless the first alone takes more.
const PAGE_BYTES: usize = 4 << 20;
const PAGE_LETTERS: u32 = 1000;

/// A dead letter that was sent again and did not arrive. Its row is updated and its mark taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedReplay {
    pub id: i64,
    pub cause: String,
    pub hint: String,
    /// Added to the attempts that are there.
    pub attempts: Vec<AttemptRecord>,
    pub plugin: String,
    pub plugin_version: String,
    pub plugin_digest: String,
}

/// Marks letters of a destination; how many were not marked before. Unknown letters are passed over.
pub(crate) fn mark(connection: &Connection, destination: &str, ids: &[i64]) -> rusqlite::Result<u64> {
    const MARK: &str = "INSERT INTO replays SELECT destination, id FROM dead_letters \
         WHERE id = ?2 AND destination = ?1 ON CONFLICT DO NOTHING";
    for_each(connection, MARK, destination, ids)
}

/// Takes marks away; how many there were.
pub(crate) fn unmark(connection: &Connection, destination: &str, ids: &[i64]) -> rusqlite::Result<u64> {
    const UNMARK: &str = "DELETE FROM replays WHERE destination = ?1 AND id = ?2";
    for_each(connection, UNMARK, destination, ids)
}

/// Deletes letters; how many there were.
pub(crate) fn delete(connection: &Connection, destination: &str, ids: &[i64]) -> rusqlite::Result<u64> {
    const DELETE: &str = "DELETE FROM dead_letters WHERE id = ?2 AND destination = ?1";
    for_each(connection, DELETE, destination, ids)
}

fn for_each(connection: &Connection, sql: &str, destination: &str, ids: &[i64]) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut changed = 0;
    for id in ids {
        changed += statement.execute(params![destination, id])? as u64;
    }
    Ok(changed)
}

/// Writes down why a letter did not arrive this time either.
pub(crate) fn fail(
    connection: &Connection,
    destination: &str,
    failed: &FailedReplay,
    now_ms: u64,
) -> Result<(), StoreError> {
    unmark(connection, destination, &[failed.id])?;
    dead_letter::update(connection, destination, failed, now_ms)
}

/// A page of marked letters.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) letters: Vec<FullDeadLetter>,
    /// Marked, but their events can no longer be read.
    pub(crate) damaged: Vec<i64>,
}

/// The marked letters after an id, the oldest first.
pub(crate) fn page(
    connection: &Connection,
    destination: &str,
    after: i64,
    limit: u32,
) -> Result<Page, StoreError> {
    const MARKED: &str = "SELECT id FROM replays WHERE destination = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let mut statement = connection.prepare_cached(MARKED)?;
    let mut ids = statement.query(params![destination, after, limit.min(PAGE_LETTERS)])?;
    let mut page = Page::default();
    let mut bytes = 0;
    while let Some(row) = ids.next()? {
        let id: i64 = row.get(0)?;
        match dead_letter::find(connection, id) {
            Ok(Some(letter)) => {
                bytes += letter.event.as_bytes().len();
                if bytes > PAGE_BYTES && !page.letters.is_empty() {
                    break;
                }
                page.letters.push(letter);
            }
            Ok(None) => {}
            Err(StoreError::Storage(StorageError::DamagedRow { .. })) => page.damaged.push(id),
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

/// The marks of a destination after an id, for taking them away page by page.
pub(crate) fn marked(
    connection: &Connection,
    destination: &str,
    after: i64,
    limit: u32,
) -> rusqlite::Result<Vec<i64>> {
    const MARKED: &str = "SELECT id FROM replays WHERE destination = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let mut statement = connection.prepare_cached(MARKED)?;
    statement.query_map(params![destination, after, limit], |row| row.get(0))?.collect()
}

/// The newest mark of a destination.
pub(crate) fn last_marked(connection: &Connection, destination: &str) -> rusqlite::Result<Option<i64>> {
    const LAST: &str = "SELECT id FROM replays WHERE destination = ?1 ORDER BY id DESC LIMIT 1";
    connection.prepare_cached(LAST)?.query_row([destination], |row| row.get(0)).optional()
}

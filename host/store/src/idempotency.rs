//! Idempotency keys: which requests of a producer are already stored, and what they were answered.
//!
//! Kept for 24 hours, and a million of them at most: beyond that the oldest are forgotten, and a repetition of their
//! request is stored again (the SIEM can still tell by the events' own keys).

use crate::error::{AppendError, StorageError};
use rusqlite::{Connection, OptionalExtension, params};

pub(crate) const KEPT_MS: u64 = 24 * 60 * 60 * 1000;
const KEYS_LIMIT: i64 = 1_000_000;
/// How many keys one transaction forgets.
const STEP: u64 = 1000;

/// A producer's promise that a request with this key is this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    pub source: String,
    pub key: String,
    /// Of the request's body.
    pub digest: [u8; 32],
    /// What a repetition is answered.
    pub answer: String,
}

/// The answer that was given to this request before, if it was.
pub(crate) fn find(
    connection: &Connection,
    source: &str,
    key: &str,
    digest: &[u8; 32],
    now_ms: u64,
) -> Result<Option<String>, AppendError> {
    const FIND: &str = "SELECT digest, answer FROM idempotency_keys \
         WHERE source = ?1 AND key = ?2 AND stored_ms > ?3";
    let oldest_ms = now_ms.saturating_sub(KEPT_MS);
    let found: Option<(Vec<u8>, String)> = connection
        .prepare_cached(FIND)
        .and_then(|mut statement| {
            let found =
                statement.query_row(params![source, key, oldest_ms], |row| Ok((row.get(0)?, row.get(1)?)));
            found.optional()
        })
        .map_err(StorageError::from)?;
    match found {
        Some((stored, answer)) if stored == digest => Ok(Some(answer)),
        Some(_) => Err(AppendError::KeyReused),
        None => Ok(None),
    }
}

pub(crate) fn insert(connection: &Connection, new: &Idempotency, now_ms: u64) -> rusqlite::Result<()> {
    // Replaces a key that has outlived its day but was not deleted yet.
    const INSERT: &str = "INSERT OR REPLACE INTO idempotency_keys (source, key, digest, answer, stored_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5)";
    // Row numbers grow with each insert, so this forgets the oldest beyond the limit.
    const FORGET: &str = "DELETE FROM idempotency_keys WHERE rowid <= ?1";
    connection
        .prepare_cached(INSERT)?
        .execute(params![new.source, new.key, new.digest, new.answer, now_ms])?;
    connection.prepare_cached(FORGET)?.execute([connection.last_insert_rowid() - KEYS_LIMIT])?;
    Ok(())
}

/// Forgets some of the keys that are due; true when there may be more.
pub(crate) fn expire(connection: &Connection, now_ms: u64) -> rusqlite::Result<bool> {
    const EXPIRE: &str = "DELETE FROM idempotency_keys WHERE rowid IN \
         (SELECT rowid FROM idempotency_keys WHERE stored_ms <= ?1 ORDER BY stored_ms LIMIT ?2)";
    let Some(oldest_ms) = now_ms.checked_sub(KEPT_MS) else { return Ok(false) };
    let forgotten = connection.prepare_cached(EXPIRE)?.execute(params![oldest_ms, STEP])?;
    Ok(forgotten as u64 == STEP)
}

/// When the oldest key has to be forgotten.
pub(crate) fn due_ms(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    const OLDEST: &str = "SELECT min(stored_ms) FROM idempotency_keys";
    let oldest: Option<u64> = connection.prepare_cached(OLDEST)?.query_row([], |row| row.get(0))?;
    Ok(oldest.map(|oldest| oldest.saturating_add(KEPT_MS)))
}

//! Dead letters: events that were given up on for one destination, with everything that is needed to see why.
//!
//! The event itself is kept here and not referred to: its block goes when nobody waits for it any more.

use crate::error::{StorageError, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use siemaphore_model::{EventBuffer, EventKey};

/// Of an answer this much is kept.
const ANSWER_BYTES: usize = 2 << 10;
/// Of a cause, hint or reason.
const TEXT_BYTES: usize = 1 << 10;
/// The latest attempts of a letter; how many there were in all is kept beside them.
const ATTEMPTS: usize = 32;
/// A listing gives at most this many.
const LISTED: u32 = 1000;

/// A dead letter to be written.
#[derive(Debug, Clone)]
pub struct NewDeadLetter {
    pub position: u64,
    /// Exactly one event.
    pub event: EventBuffer,
    pub cause: String,
    pub hint: String,
    pub attempts: Vec<AttemptRecord>,
    pub plugin: String,
    pub plugin_version: String,
    pub plugin_digest: String,
}

/// One HTTPS request that did not succeed. Secrets have been taken out of the texts by delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    pub at_ms: u64,
    /// None when there was no answer.
    pub status: Option<u16>,
    /// The first 2 KiB.
    pub answer: String,
    pub reason: String,
}

/// A dead letter as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub id: i64,
    pub destination: String,
    pub position: u64,
    pub key: EventKey,
    pub event_type: String,
    pub cause: String,
    pub hint: String,
    pub attempts: u64,
    pub created_ms: u64,
}

/// A dead letter with all that is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullDeadLetter {
    pub letter: DeadLetter,
    pub event: EventBuffer,
    /// The latest ones.
    pub attempts: Vec<AttemptRecord>,
    pub plugin: String,
    pub plugin_version: String,
    pub plugin_digest: String,
}

pub(crate) fn insert(
    connection: &Connection,
    destination: &str,
    letter: &NewDeadLetter,
    now_ms: u64,
) -> Result<(), StoreError> {
    let mut events = letter.event.iter();
    let (Some(event), None) = (events.next(), events.next()) else {
        return Err(StoreError::NotOneEvent { position: letter.position, events: letter.event.len() });
    };
    const INSERT: &str = "INSERT INTO dead_letters (destination, position, event_key, event_type, cause, hint, \
         attempt_count, created_ms, plugin, plugin_version, plugin_digest, attempts, checksum, event) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    connection.prepare_cached(INSERT)?.execute(params![
        destination,
        letter.position,
        event.key().as_bytes(),
        event.event_type(),
        cut(&letter.cause, TEXT_BYTES),
        cut(&letter.hint, TEXT_BYTES),
        letter.attempts.len(),
        now_ms,
        cut(&letter.plugin, TEXT_BYTES),
        cut(&letter.plugin_version, TEXT_BYTES),
        cut(&letter.plugin_digest, TEXT_BYTES),
        attempts_to_json(&letter.attempts),
        crc32fast::hash(letter.event.as_bytes()),
        letter.event.as_bytes(),
    ])?;
    Ok(())
}

pub(crate) fn list(
    connection: &Connection,
    destination: Option<&str>,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<DeadLetter>, StoreError> {
    const LIST: &str = "SELECT id, destination, position, event_key, event_type, cause, hint, attempt_count, \
         created_ms FROM dead_letters WHERE id > ?1 AND (?2 IS NULL OR destination = ?2) ORDER BY id LIMIT ?3";
    let mut statement = connection.prepare_cached(LIST)?;
    let letters =
        statement.query_map(params![after.unwrap_or(0), destination, limit.min(LISTED)], letter_from_row)?;
    Ok(letters.collect::<Result<_, _>>()?)
}

pub(crate) fn find(connection: &Connection, id: i64) -> Result<Option<FullDeadLetter>, StoreError> {
    const FIND: &str = "SELECT id, destination, position, event_key, event_type, cause, hint, attempt_count, \
         created_ms, plugin, plugin_version, plugin_digest, attempts, checksum, event \
         FROM dead_letters WHERE id = ?1";
    let found = connection
        .prepare_cached(FIND)?
        .query_row([id], |row| {
            let full = FullDeadLetter {
                letter: letter_from_row(row)?,
                event: EventBuffer::new(),
                attempts: Vec::new(),
                plugin: row.get(9)?,
                plugin_version: row.get(10)?,
                plugin_digest: row.get(11)?,
            };
            Ok((full, row.get::<_, String>(12)?, row.get::<_, u32>(13)?, row.get::<_, Vec<u8>>(14)?))
        })
        .optional()?;
    let Some((full, attempts, checksum, event)) = found else { return Ok(None) };
    let damaged = || StorageError::DamagedRow { what: format!("dead letter {id}") };
    if crc32fast::hash(&event) != checksum {
        return Err(damaged().into());
    }
    let event = EventBuffer::from_bytes(event).map_err(|_| damaged())?;
    let attempts = serde_json::from_str(&attempts).map_err(|_| damaged())?;
    Ok(Some(FullDeadLetter { event, attempts, ..full }))
}

fn letter_from_row(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        id: row.get(0)?,
        destination: row.get(1)?,
        position: row.get(2)?,
        key: EventKey::from_bytes(row.get(3)?),
        event_type: row.get(4)?,
        cause: row.get(5)?,
        hint: row.get(6)?,
        attempts: row.get(7)?,
        created_ms: row.get(8)?,
    })
}

fn attempts_to_json(attempts: &[AttemptRecord]) -> String {
    let latest = attempts.iter().skip(attempts.len().saturating_sub(ATTEMPTS));
    let bounded: Vec<AttemptRecord> = latest
        .map(|attempt| AttemptRecord {
            answer: cut(&attempt.answer, ANSWER_BYTES).to_owned(),
            reason: cut(&attempt.reason, TEXT_BYTES).to_owned(),
            ..*attempt
        })
        .collect();
    // Numbers and texts always have a JSON form.
    serde_json::to_string(&bounded).unwrap_or_else(|_| "[]".to_owned())
}

/// At most so many bytes of a text, cut between characters.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

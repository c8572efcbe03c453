//! Dead letters: events that were given up on for one destination, with everything that is needed to see why.
//!
//! The event itself is kept here and not referred to: its block goes when nobody waits for it any more.

use crate::error::{StorageError, StoreError};
use crate::replay::FailedReplay;
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
/// What a row takes beside its texts: columns, index entries, and what its last page leaves unused.
const ROW_BYTES: usize = 512;

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
    /// When it was written, or last failed to arrive when it was sent again.
    pub updated_ms: u64,
    /// Whether it is to be sent again and has not been yet.
    pub replay_requested: bool,
    /// What it takes of the destination's limit.
    pub bytes: u64,
}

/// Which dead letters of one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All that are there at this moment.
    All,
    /// These; ids of other destinations and of no letter are passed over.
    Ids(Vec<i64>),
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

/// What [`letter_from_row`] reads.
macro_rules! columns {
    () => {
        "SELECT id, destination, position, event_key, event_type, cause, hint, attempt_count, created_ms, updated_ms, \
         bytes, EXISTS (SELECT 1 FROM replays WHERE replays.destination = dead_letters.destination \
         AND replays.id = dead_letters.id)"
    };
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
         attempt_count, created_ms, plugin, plugin_version, plugin_digest, attempts, checksum, event, updated_ms, \
         bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?8, ?15)";
    let attempts = attempts_to_json(letter.attempts.iter());
    let bytes = size(letter.event.as_bytes().len(), &attempts);
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
        attempts,
        crc32fast::hash(letter.event.as_bytes()),
        letter.event.as_bytes(),
        bytes,
    ])?;
    Ok(())
}

/// Writes a failed replay into the letter's row, if the letter is still there.
pub(crate) fn update(
    connection: &Connection,
    destination: &str,
    failed: &FailedReplay,
    now_ms: u64,
) -> Result<(), StoreError> {
    const BEFORE: &str =
        "SELECT attempts, length(event) FROM dead_letters WHERE id = ?1 AND destination = ?2";
    let before: Option<(String, usize)> = connection
        .prepare_cached(BEFORE)?
        .query_row(params![failed.id, destination], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((earlier, event_bytes)) = before else { return Ok(()) };
    // Attempts that cannot be read any more must not keep the new ones out.
    let earlier: Vec<AttemptRecord> = serde_json::from_str(&earlier).unwrap_or_default();
    let attempts = attempts_to_json(earlier.iter().chain(&failed.attempts));
    const UPDATE: &str = "UPDATE dead_letters SET cause = ?2, hint = ?3, attempt_count = attempt_count + ?4, \
         plugin = ?5, plugin_version = ?6, plugin_digest = ?7, attempts = ?8, updated_ms = ?9, bytes = ?10 \
         WHERE id = ?1";
    connection.prepare_cached(UPDATE)?.execute(params![
        failed.id,
        cut(&failed.cause, TEXT_BYTES),
        cut(&failed.hint, TEXT_BYTES),
        failed.attempts.len(),
        cut(&failed.plugin, TEXT_BYTES),
        cut(&failed.plugin_version, TEXT_BYTES),
        cut(&failed.plugin_digest, TEXT_BYTES),
        attempts,
        now_ms,
        size(event_bytes, &attempts),
    ])?;
    Ok(())
}

fn size(event_bytes: usize, attempts: &str) -> usize {
    event_bytes + attempts.len() + ROW_BYTES
}

pub(crate) fn list(
    connection: &Connection,
    destination: Option<&str>,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<DeadLetter>, StoreError> {
    const ALL: &str = concat!(columns!(), " FROM dead_letters WHERE id > ?1 ORDER BY id LIMIT ?2");
    const OF: &str = concat!(
        columns!(),
        " FROM dead_letters INDEXED BY dead_letters_by_destination \
         WHERE id > ?1 AND destination = ?3 ORDER BY id LIMIT ?2"
    );
    let (after, limit) = (after.unwrap_or(0), limit.min(LISTED));
    match destination {
        Some(destination) => {
            let mut statement = connection.prepare_cached(OF)?;
            let letters = statement.query_map(params![after, limit, destination], letter_from_row)?;
            Ok(letters.collect::<Result<_, _>>()?)
        }
        None => {
            let mut statement = connection.prepare_cached(ALL)?;
            let letters = statement.query_map(params![after, limit], letter_from_row)?;
            Ok(letters.collect::<Result<_, _>>()?)
        }
    }
}

/// The ids of a destination's letters after one of them and up to another, in order.
pub(crate) fn ids(
    connection: &Connection,
    destination: &str,
    after: i64,
    up_to: i64,
    limit: u32,
) -> rusqlite::Result<Vec<i64>> {
    const IDS: &str = "SELECT id FROM dead_letters INDEXED BY dead_letters_by_destination \
         WHERE destination = ?1 AND id > ?2 AND id <= ?3 ORDER BY id LIMIT ?4";
    let mut statement = connection.prepare_cached(IDS)?;
    statement.query_map(params![destination, after, up_to, limit], |row| row.get(0))?.collect()
}

/// The newest letter of a destination.
pub(crate) fn last(connection: &Connection, destination: &str) -> rusqlite::Result<Option<i64>> {
    const LAST: &str = "SELECT id FROM dead_letters INDEXED BY dead_letters_by_destination \
         WHERE destination = ?1 ORDER BY id DESC LIMIT 1";
    connection.prepare_cached(LAST)?.query_row([destination], |row| row.get(0)).optional()
}

pub(crate) fn find(connection: &Connection, id: i64) -> Result<Option<FullDeadLetter>, StoreError> {
    const FIND: &str = concat!(
        columns!(),
        ", plugin, plugin_version, plugin_digest, attempts, checksum, event FROM dead_letters WHERE id = ?1"
    );
    let found = connection
        .prepare_cached(FIND)?
        .query_row([id], |row| {
            let full = FullDeadLetter {
                letter: letter_from_row(row)?,
                event: EventBuffer::new(),
                attempts: Vec::new(),
                plugin: row.get(12)?,
                plugin_version: row.get(13)?,
                plugin_digest: row.get(14)?,
            };
            Ok((full, row.get::<_, String>(15)?, row.get::<_, u32>(16)?, row.get::<_, Vec<u8>>(17)?))
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
        updated_ms: row.get(9)?,
        bytes: row.get(10)?,
        replay_requested: row.get(11)?,
    })
}

/// The latest attempts, each cut to its limits.
fn attempts_to_json<'a>(attempts: impl Iterator<Item = &'a AttemptRecord> + Clone) -> String {
    let surplus = attempts.clone().count().saturating_sub(ATTEMPTS);
    let bounded: Vec<AttemptRecord> = attempts
        .skip(surplus)
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

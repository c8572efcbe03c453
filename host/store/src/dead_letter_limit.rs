//! How much one destination's dead letters may take, and what happens beyond.
//!
//! The totals are kept by triggers, so the check costs one row. Letters are taken as long as those that are there are
//! below the limit: one settlement may overshoot by its own size, and no single letter is too large to ever be taken.

use crate::destination::{self, Counts, Destination};
use crate::error::{StorageError, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

/// Room for about a million letters of ordinary events.
const DEFAULT_LIMIT_BYTES: u64 = 1 << 30;
/// How many letters one transaction expires.
const STEP: u64 = 1000;

/// What the dead letters of one destination may take: events, attempts and texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetterLimit {
    pub bytes: u64,
    pub when_full: WhenFull,
}

impl Default for DeadLetterLimit {
    fn default() -> DeadLetterLimit {
        DeadLetterLimit { bytes: DEFAULT_LIMIT_BYTES, when_full: WhenFull::Hold }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// Settling dead letters fails with [`StoreError::DeadLettersFull`]: the destination is held until an operator has
    /// replayed or discarded some.
    #[default]
    Hold,
    /// The oldest letters go, counted as expired. The newest one always stays.
    ExpireOldest,
}

/// What a destination's dead letters come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) letters: u64,
    pub(crate) bytes: u64,
    pub(crate) replays: u64,
}

pub(crate) fn totals(connection: &Connection, destination: &str) -> rusqlite::Result<Totals> {
    const TOTALS: &str = "SELECT letters, bytes, replays FROM dead_letter_totals WHERE destination = ?1";
    let totals = connection.prepare_cached(TOTALS)?.query_row([destination], |row| {
        Ok(Totals { letters: row.get(0)?, bytes: row.get(1)?, replays: row.get(2)? })
    });
    Ok(totals.optional()?.unwrap_or_default())
}

/// Whether the destination may have more dead letters now; an error when it is to be held instead.
pub(crate) fn check(connection: &Connection, destination: &Destination) -> Result<(), StoreError> {
    let limit = destination.dead_letter_limit;
    let full = || Ok::<_, StorageError>(totals(connection, &destination.name)?.bytes >= limit.bytes.max(1));
    match limit.when_full {
        WhenFull::Hold if full()? => Err(StoreError::DeadLettersFull {
            destination: destination.name.clone(),
            limit_bytes: limit.bytes,
        }),
        WhenFull::Hold | WhenFull::ExpireOldest => Ok(()),
    }
}

/// Whether a destination that asks for it has letters to expire.
pub(crate) fn is_over(connection: &Connection, destination: &Destination) -> rusqlite::Result<bool> {
    let limit = destination.dead_letter_limit;
    Ok(limit.when_full == WhenFull::ExpireOldest && exceeds(totals(connection, &destination.name)?, limit))
}

fn exceeds(totals: Totals, limit: DeadLetterLimit) -> bool {
    totals.bytes > limit.bytes && totals.letters > 1
}

/// What the end of so many letters does to the counters, beside what they became.
pub(crate) fn fewer_letters(letters: u64) -> Counts {
    Counts { dead_lettered: -i64::try_from(letters).unwrap_or(i64::MAX), ..Counts::default() }
}

/// Expires some of the letters beyond the limits of all destinations that ask for it; true when there are more.
pub(crate) fn expire(connection: &Connection) -> Result<bool, StorageError> {
    const OVER: &str = "SELECT name FROM destinations JOIN dead_letter_totals ON destination = name \
         WHERE expire_dead_letters AND bytes > dead_letter_limit_bytes AND letters > 1";
    let mut statement = connection.prepare_cached(OVER)?;
    let names: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut more = false;
    for name in names {
        if let Some(destination) = destination::find(connection, &name)? {
            more |= expire_of(connection, &destination)?;
        }
    }
    Ok(more)
}

fn expire_of(connection: &Connection, destination: &Destination) -> Result<bool, StorageError> {
    const EXPIRE: &str = "DELETE FROM dead_letters WHERE id = \
         (SELECT id FROM dead_letters WHERE destination = ?1 ORDER BY id LIMIT 1)";
    let mut expired = 0;
    while expired < STEP && is_over(connection, destination)? {
        connection.prepare_cached(EXPIRE)?.execute(params![destination.name])?;
        expired += 1;
    }
    if expired > 0 {
        destination.save(connection, Counts { expired, ..fewer_letters(expired) })?;
        let (name, limit_bytes) = (&destination.name, destination.dead_letter_limit.bytes);
        tracing::warn!(destination = name, letters = expired, limit_bytes, "the oldest dead letters expired");
    }
    Ok(expired == STEP)
}

//! The destinations that the store knows: where each began, how far it is, what became of its events.
//!
//! A destination that is no longer configured becomes inactive: it keeps its cursor and counters but pins no block.
//! When it comes back it goes on where it was, and what was deleted meanwhile has been counted as expired.

use crate::block_row;
use crate::config::as_millis;
use crate::cursor::Cursor;
use crate::dead_letter_limit::{DeadLetterLimit, WhenFull};
use crate::error::{StorageError, StoreError};
use crate::log_row;
use crate::ranges::Runs;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::ops::Range;
use std::time::Duration;

/// How many settled runs a destination may have above its cursor. A settlement that would leave more is refused; the
/// oldest gaps have to close first.
pub(crate) const RUNS_LIMIT: usize = 4096;

/// A destination as the configuration has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub destination: String,
    pub organization: String,
    /// Events that wait longer than this are expired.
    pub age_limit: Duration,
    /// Only heeded the first time.
    pub start: Start,
    pub dead_letter_limit: DeadLetterLimit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// With the events that come after the destination was first opened.
    #[default]
    Now,
    /// With the oldest event that the store still has.
    Beginning,
}

/// One row of `destinations`, without its counters.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) name: String,
    pub(crate) organization: String,
    pub(crate) active: bool,
    pub(crate) age_limit_ms: u64,
    pub(crate) dead_letter_limit: DeadLetterLimit,
    pub(crate) cursor: Cursor,
}

/// What to add to the counters of a destination.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) delivered: u64,
    pub(crate) filtered: u64,
    /// Negative when letters end some other way.
    pub(crate) dead_lettered: i64,
    pub(crate) discarded: u64,
    pub(crate) expired: u64,
    pub(crate) damaged: u64,
    pub(crate) duplicates: u64,
}

/// Makes a destination known, or updates its limits and makes it active again.
pub(crate) fn open(connection: &Connection, registration: &Registration) -> Result<(), StoreError> {
    match find(connection, &registration.destination)? {
        None => create(connection, registration),
        Some(known) if known.organization != registration.organization => {
            Err(StoreError::OtherOrganization {
                destination: known.name,
                registered: known.organization,
                asked: registration.organization.clone(),
            })
        }
        Some(known) => {
            if !known.active {
                activate(connection, &known, true)?;
            }
            set_limits(connection, registration)?;
            Ok(())
        }
    }
}

fn set_limits(connection: &Connection, registration: &Registration) -> rusqlite::Result<()> {
    const UPDATE: &str = "UPDATE destinations SET age_limit_ms = ?2, dead_letter_limit_bytes = ?3, \
         expire_dead_letters = ?4 WHERE name = ?1";
    let limit = registration.dead_letter_limit;
    connection.prepare_cached(UPDATE)?.execute(params![
        registration.destination,
        stored(as_millis(registration.age_limit)),
        stored(limit.bytes),
        limit.when_full == WhenFull::ExpireOldest,
    ])?;
    Ok(())
}

/// SQLite's integers are signed; a limit beyond them is none.
fn stored(limit: u64) -> u64 {
    limit.min(i64::MAX as u64)
}

/// Makes all destinations inactive that are not among `names`.
pub(crate) fn retain(connection: &Connection, names: &[String]) -> Result<(), StoreError> {
    for destination in active(connection)? {
        if !names.contains(&destination.name) {
            activate(connection, &destination, false)?;
        }
    }
    Ok(())
}

fn create(connection: &Connection, registration: &Registration) -> Result<(), StoreError> {
    let organization = &registration.organization;
    log_row::ensure_organization(connection, organization)?;
    let next_position = log_row::read(connection)?.next_position;
    let begin = match registration.start {
        Start::Now => next_position,
        Start::Beginning => 0,
    };
    let cursor = Cursor::at(begin);
    let mut waiting = 0;
    for span in waiting_blocks(connection, organization, &cursor)? {
        waiting += span.positions.end - span.positions.start;
        block_row::change_awaited_by(connection, span.id(), 1)?;
    }
    let accepted_before = log_row::accepted(connection, organization)?.saturating_sub(waiting);
    const INSERT: &str = "INSERT INTO destinations \
         (name, organization, active, age_limit_ms, accepted_before, settled_below, settled_runs) \
         VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(INSERT)?.execute(params![
        registration.destination,
        organization,
        stored(as_millis(registration.age_limit)),
        accepted_before,
        cursor.below(),
        cursor.runs().encode(),
    ])?;
    Ok(set_limits(connection, registration)?)
}

fn activate(connection: &Connection, destination: &Destination, active: bool) -> Result<(), StoreError> {
    let change = if active { 1 } else { -1 };
    for span in waiting_blocks(connection, &destination.organization, &destination.cursor)? {
        block_row::change_awaited_by(connection, span.id(), change)?;
    }
    const UPDATE: &str = "UPDATE destinations SET active = ?2 WHERE name = ?1";
    connection.prepare_cached(UPDATE)?.execute(params![destination.name, active])?;
    Ok(())
}

/// All blocks with events that the cursor has not settled.
pub(crate) fn waiting_blocks(
    connection: &Connection,
    organization: &str,
    cursor: &Cursor,
) -> rusqlite::Result<Vec<block_row::Span>> {
    let mut waiting = Vec::new();
    block_row::for_each_after(connection, organization, cursor.below(), |span| {
        if !cursor.unsettled(span.positions.clone()).is_empty() {
            waiting.push(span);
        }
    })?;
    Ok(waiting)
}

/// All that are known, inactive ones too.
pub(crate) fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT name FROM destinations ORDER BY name")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

pub(crate) fn find(connection: &Connection, name: &str) -> Result<Option<Destination>, StorageError> {
    const FIND: &str = "SELECT name, organization, active, age_limit_ms, settled_below, settled_runs, \
         dead_letter_limit_bytes, expire_dead_letters FROM destinations WHERE name = ?1";
    connection.prepare_cached(FIND)?.query_row([name], columns).optional()?.map(from_columns).transpose()
}

/// The destination, or the error that names it.
pub(crate) fn get(connection: &Connection, name: &str) -> Result<Destination, StoreError> {
    find(connection, name)?.ok_or_else(|| StoreError::UnknownDestination { destination: name.to_owned() })
}

pub(crate) fn active(connection: &Connection) -> Result<Vec<Destination>, StorageError> {
    const ACTIVE: &str = "SELECT name, organization, active, age_limit_ms, settled_below, settled_runs, \
         dead_letter_limit_bytes, expire_dead_letters FROM destinations WHERE active";
    let mut statement = connection.prepare_cached(ACTIVE)?;
    statement.query_map([], columns)?.map(|row| from_columns(row?)).collect()
}

/// The destinations of an organisation, inactive ones too.
pub(crate) fn of_organization(
    connection: &Connection,
    organization: &str,
) -> Result<Vec<Destination>, StorageError> {
    const OF: &str = "SELECT name, organization, active, age_limit_ms, settled_below, settled_runs, \
         dead_letter_limit_bytes, expire_dead_letters FROM destinations WHERE organization = ?1";
    let mut statement = connection.prepare_cached(OF)?;
    statement.query_map([organization], columns)?.map(|row| from_columns(row?)).collect()
}

/// How many active destinations will wait for a new block of the organisation.
pub(crate) fn count_active(connection: &Connection, organization: &str) -> rusqlite::Result<u64> {
    const COUNT: &str = "SELECT count(*) FROM destinations WHERE organization = ?1 AND active";
    connection.prepare_cached(COUNT)?.query_row([organization], |row| row.get(0))
}

type Columns = (Destination, Vec<u8>);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    let destination = Destination {
        name: row.get(0)?,
        organization: row.get(1)?,
        active: row.get(2)?,
        age_limit_ms: row.get(3)?,
        dead_letter_limit: DeadLetterLimit {
            bytes: row.get(6)?,
            when_full: if row.get(7)? { WhenFull::ExpireOldest } else { WhenFull::Hold },
        },
        cursor: Cursor::at(row.get(4)?),
    };
    Ok((destination, row.get(5)?))
}

fn from_columns((destination, runs): Columns) -> Result<Destination, StorageError> {
    let Some(runs) = Runs::decode(&runs) else {
        return Err(StorageError::DamagedRow { what: format!("destination {:?}", destination.name) });
    };
    let cursor = Cursor::from_parts(destination.cursor.below(), runs);
    Ok(Destination { cursor, ..destination })
}

impl Destination {
    /// Settles a stretch of one block. Gives how many of its events were not settled before, and whether this has
    /// finished the block for the destination.
    pub(crate) fn settle_in_block(
        &mut self,
        connection: &Connection,
        block: &block_row::Span,
        stretch: Range<u64>,
    ) -> rusqlite::Result<SettledStretch> {
        let fresh = crate::ranges::total(&self.cursor.unsettled(stretch.clone()));
        if fresh == 0 {
            return Ok(SettledStretch { fresh, finished: false });
        }
        self.cursor.settle(stretch);
        let finished = self.cursor.unsettled(block.positions.clone()).is_empty();
        if finished {
            self.bridge_gaps(connection, &block.positions)?;
            if self.active {
                block_row::change_awaited_by(connection, block.id(), -1)?;
            }
        }
        Ok(SettledStretch { fresh, finished })
    }

    /// Settles the positions around a finished block, up to the organisation's next blocks on both sides: nothing
    /// waits there, and without it other organisations' positions would keep neighbouring runs apart.
    fn bridge_gaps(&mut self, connection: &Connection, finished: &Range<u64>) -> rusqlite::Result<()> {
        let before =
            block_row::last_starting_by(connection, &self.organization, finished.start.saturating_sub(1))?;
        let after = block_row::at_or_after(connection, &self.organization, finished.end)?;
        let start = before.map_or(0, |span| span.positions.end);
        let end = match after {
            Some(span) => span.positions.start,
            None => log_row::read(connection)?.next_position,
        };
        self.cursor.settle(start.min(finished.start)..end.max(finished.end));
        Ok(())
    }

    /// Writes the cursor and adds to the counters.
    pub(crate) fn save(&self, connection: &Connection, counts: Counts) -> rusqlite::Result<()> {
        const SAVE: &str = "UPDATE destinations SET settled_below = ?2, settled_runs = ?3, \
             delivered = delivered + ?4, filtered = filtered + ?5, dead_lettered = dead_lettered + ?6, \
             expired = expired + ?7, damaged = damaged + ?8, duplicates = duplicates + ?9, \
             discarded = discarded + ?10 WHERE name = ?1";
        connection.prepare_cached(SAVE)?.execute(params![
            self.name,
            self.cursor.below(),
            self.cursor.runs().encode(),
            counts.delivered,
            counts.filtered,
            counts.dead_lettered,
            counts.expired,
            counts.damaged,
            counts.duplicates,
            counts.discarded,
        ])?;
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SettledStretch {
    pub(crate) fresh: u64,
    pub(crate) finished: bool,
}

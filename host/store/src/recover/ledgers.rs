//! Makes the ledgers of a recovered file add up.
//!
//! Cursors and counters are those of the damaged file, or of the last snapshot where that is lost. Dead letters and
//! waiting events are counted as they are there; what is missing then was accepted and can no longer be found.

use crate::block_row;
use crate::destination::{self, Counts};
use crate::error::{StorageError, StoreError};
use crate::ledger;
use crate::log_row;
use crate::recover::copy::Copied;
use crate::snapshot::Snapshot;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// Added to the next position when its true value is lost: no file holds so many events behind the last readable one.
pub(crate) const UNKNOWN_POSITIONS: u64 = 1 << 32;

/// Added to the last letter's id, for letters that are gone.
const UNKNOWN_LETTERS: u64 = 1 << 32;

/// Gives how many events are counted as damaged now, summed over the destinations.
pub(crate) fn settle(
    connection: &Connection,
    copied: &Copied,
    snapshot: &Snapshot,
) -> Result<u64, StoreError> {
    snapshot.restore_missing(connection)?;
    log_row::set_next_position(connection, next_position(connection, copied, snapshot)?)?;
    mend_letters(connection)?;
    let names = destination::names(connection)?;
    let mut accepted = snapshot.accepted.clone();
    accepted.extend(copied.accepted.clone());
    raise_accepted(connection, &accepted)?;
    for name in &names {
        reset_if_damaged(connection, name)?;
        count_letters(connection, name)?;
        await_blocks(connection, name)?;
        at_least_what_is_accounted_for(connection, name, &mut accepted)?;
    }
    raise_accepted(connection, &accepted)?;
    let mut lost = 0;
    for name in &names {
        let missing = ledger::read(connection, name)?.difference();
        let damaged = u64::try_from(missing).unwrap_or(0);
        destination::get(connection, name)?.save(connection, Counts { damaged, ..Counts::default() })?;
        lost += damaged;
    }
    Ok(lost)
}

/// Sets how many events each organisation had, which is never less than came before one of its destinations.
fn raise_accepted(connection: &Connection, accepted: &BTreeMap<String, u64>) -> rusqlite::Result<()> {
    const KNOWN: &str = "INSERT INTO organizations SELECT DISTINCT organization, 0, 0 FROM destinations WHERE true ON CONFLICT DO NOTHING";
    const SET: &str = "UPDATE organizations SET accepted = max(accepted, ?2) WHERE name = ?1";
    const LEAST: &str = "UPDATE organizations SET accepted = max(accepted, \
         ifnull((SELECT max(accepted_before) FROM destinations WHERE organization = organizations.name), 0))";
    connection.execute(KNOWN, [])?;
    for (organization, accepted) in accepted {
        log_row::ensure_organization(connection, organization)?;
        connection.prepare_cached(SET)?.execute(params![organization, accepted])?;
    }
    connection.execute(LEAST, [])?;
    Ok(())
}

/// What depends on the order in which letters and marks were found, or on the format that they were written in.
fn mend_letters(connection: &Connection) -> Result<(), StorageError> {
    connection.execute_batch(
        "DELETE FROM replays WHERE NOT EXISTS (SELECT 1 FROM dead_letters
             WHERE dead_letters.id = replays.id AND dead_letters.destination = replays.destination);
         UPDATE dead_letters SET updated_ms = created_ms WHERE updated_ms = 0;
         UPDATE dead_letters SET bytes = length(event) + octet_length(attempts) + 512
             WHERE bytes <> length(event) + octet_length(attempts) + 512;
         UPDATE dead_letter_totals SET replays =
             (SELECT count(*) FROM replays WHERE replays.destination = dead_letter_totals.destination);",
    )?;
    // Replays that are under way go by the letters' ids: none may be given out again.
    const SKIP: &str = "INSERT INTO sqlite_sequence \
         SELECT 'dead_letters', ifnull(max(id), 0) + ?1 FROM dead_letters";
    connection.execute("DELETE FROM sqlite_sequence", [])?;
    connection.execute(SKIP, [UNKNOWN_LETTERS])?;
    Ok(())
}

fn next_position(connection: &Connection, copied: &Copied, snapshot: &Snapshot) -> Result<u64, StorageError> {
    let above = copied.above.max(snapshot.next_position);
    if let Some(next) = copied.next_position {
        return Ok(next.max(above));
    }
    const SETTLED: &str = "SELECT ifnull(max(settled_below), 0) FROM destinations";
    let settled: u64 = connection.query_row(SETTLED, [], |row| row.get(0))?;
    Ok(above.max(settled).saturating_add(UNKNOWN_POSITIONS))
}

/// A cursor that cannot be: its events are delivered again rather than lost.
fn reset_if_damaged(connection: &Connection, name: &str) -> Result<(), StorageError> {
    let next = log_row::read(connection)?.next_position;
    let is_sound = match destination::find(connection, name) {
        Ok(found) => found.is_none_or(|destination| destination.cursor.below() <= next),
        Err(_) => false,
    };
    if !is_sound {
        const RESET: &str = "UPDATE destinations SET settled_runs = x'', settled_below = 0 WHERE name = ?1";
        connection.prepare_cached(RESET)?.execute([name])?;
    }
    Ok(())
}

fn count_letters(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    const COUNT: &str = "UPDATE destinations SET dead_lettered = \
         (SELECT count(*) FROM dead_letters WHERE destination = ?1) WHERE name = ?1";
    connection.prepare_cached(COUNT)?.execute([name])?;
    Ok(())
}

/// The copied blocks are awaited by nobody yet.
fn await_blocks(connection: &Connection, name: &str) -> Result<(), StoreError> {
    let destination = destination::get(connection, name)?;
    if destination.active {
        for span in destination::waiting_blocks(connection, &destination.organization, &destination.cursor)? {
            block_row::change_awaited_by(connection, span.id(), 1)?;
        }
    }
    Ok(())
}

/// An organisation has had at least as many events as one of its destinations can account for.
fn at_least_what_is_accounted_for(
    connection: &Connection,
    name: &str,
    accepted: &mut BTreeMap<String, u64>,
) -> Result<(), StoreError> {
    let organization = destination::get(connection, name)?.organization;
    let ledger = ledger::read(connection, name)?;
    let now = log_row::accepted(connection, &organization)?;
    // What the ledger has too much of now, given what the rows of the copied blocks have added up to.
    let surplus = u64::try_from(-ledger.difference()).unwrap_or(0);
    let least = accepted.entry(organization).or_default();
    *least = (*least).max(now.saturating_add(surplus));
    Ok(())
}

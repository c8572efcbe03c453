//! The ledger of one destination: where each of its events is.

use crate::block_row;
use crate::destination;
use crate::error::StoreError;
use crate::ranges;
use rusqlite::{Connection, OptionalExtension};

/// `accepted = delivered + filtered + dead_lettered + discarded + expired + damaged + waiting`, at any moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The organisation's events since the destination's start.
    pub accepted: u64,
    pub delivered: u64,
    /// Not wanted by the subscription.
    pub filtered: u64,
    /// Dead letters that are there now.
    pub dead_lettered: u64,
    /// Dead letters that an operator dropped for good.
    pub discarded: u64,
    /// Given up by a limit on age or size.
    pub expired: u64,
    /// Lost to blocks that failed their checksum.
    pub damaged: u64,
    /// Counted from the blocks and the settled runs, never by subtraction.
    pub waiting: u64,
    /// Events that the SIEM may have received more than once. Not part of the sum.
    pub duplicates: u64,
    /// When the oldest waiting event was stored.
    pub oldest_waiting_ms: Option<u64>,
}

impl Ledger {
    /// What has been accepted but is nowhere (positive), or is somewhere but was never accepted (negative). Zero in a
    /// sound store.
    pub fn difference(&self) -> i128 {
        let accounted = [
            self.delivered,
            self.filtered,
            self.dead_lettered,
            self.discarded,
            self.expired,
            self.damaged,
            self.waiting,
        ];
        i128::from(self.accepted) - accounted.into_iter().map(i128::from).sum::<i128>()
    }
}

pub(crate) fn read(connection: &Connection, name: &str) -> Result<Ledger, StoreError> {
    let destination = destination::get(connection, name)?;
    let mut ledger = read_counters(connection, name)?;
    let organization = &destination.organization;
    let cursor = &destination.cursor;
    block_row::for_each_after(connection, organization, cursor.below(), |span| {
        let waiting = ranges::total(&cursor.unsettled(span.positions));
        ledger.waiting += waiting;
        if waiting > 0 {
            ledger.oldest_waiting_ms.get_or_insert(span.stored_ms);
        }
    })?;
    Ok(ledger)
}

fn read_counters(connection: &Connection, name: &str) -> Result<Ledger, StoreError> {
    const COUNTERS: &str = "SELECT organizations.accepted - accepted_before, delivered, filtered, dead_lettered, \
         discarded, expired, damaged, duplicates FROM destinations \
         JOIN organizations ON organizations.name = destinations.organization WHERE destinations.name = ?1";
    let counters = connection.prepare_cached(COUNTERS)?.query_row([name], |row| {
        Ok(Ledger {
            accepted: row.get(0)?,
            delivered: row.get(1)?,
            filtered: row.get(2)?,
            dead_lettered: row.get(3)?,
            discarded: row.get(4)?,
            expired: row.get(5)?,
            damaged: row.get(6)?,
            duplicates: row.get(7)?,
            ..Ledger::default()
        })
    });
    counters.optional()?.ok_or_else(|| StoreError::UnknownDestination { destination: name.to_owned() })
}

//! Settling: what became of a destination's events, in one transaction with its counters and dead letters.
//!
//! Each position is counted once, by whoever settles it first. A settlement may race an expiry (the event was in
//! flight when its block was expired) and then finds those positions settled: they stay counted as expired.

use crate::block_row;
use crate::dead_letter::{self, NewDeadLetter};
use crate::dead_letter_limit;
use crate::destination::{self, Counts, Destination, RUNS_LIMIT};
use crate::error::StoreError;
use crate::ranges;
use crate::replay::{self, FailedReplay};
use rusqlite::Connection;
use std::ops::Range;

/// What one delivery did. Ranges may hold positions of other organisations or none at all; those are ignored.
#[derive(Debug, Clone, Default)]
pub struct Settlement {
    pub destination: String,
    pub delivered: Vec<Range<u64>>,
    /// Not wanted by the subscription.
    pub filtered: Vec<Range<u64>>,
    /// Each settles its own position.
    pub dead_letters: Vec<NewDeadLetter>,
    /// Events that the SIEM may have received more than once. Beside the ledger, not in it.
    pub duplicates: u64,
    /// Dead letters that have now arrived: they are delivered and no dead letters any more.
    pub replayed: Vec<i64>,
    /// Dead letters that were sent again and did not arrive.
    pub replay_failed: Vec<FailedReplay>,
}

impl Settlement {
    /// What it takes while it waits for the writer, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let events: usize = self.dead_letters.iter().map(|letter| letter.event.as_bytes().len()).sum();
        events + (self.delivered.len() + self.filtered.len()) * 16 + self.replayed.len() * 8
    }
}

/// What the writer has to know of a settlement.
#[derive(Debug)]
pub(crate) struct Settled {
    /// When the oldest of the blocks was stored that the destination has now finished.
    pub(crate) oldest_finished_ms: Option<u64>,
    /// Some dead letters have to expire.
    pub(crate) too_many_letters: bool,
}

pub(crate) fn apply(
    connection: &Connection,
    settlement: &Settlement,
    now_ms: u64,
) -> Result<Settled, StoreError> {
    let destination = destination::get(connection, &settlement.destination)?;
    if !settlement.dead_letters.is_empty() {
        dead_letter_limit::check(connection, &destination)?;
    }
    let runs_before = destination.cursor.runs().len();
    let mut settling = Settling { connection, destination, oldest_finished_ms: None };
    let mut counts = Counts { duplicates: settlement.duplicates, ..Counts::default() };
    for range in &settlement.delivered {
        counts.delivered += settling.take(range)?;
    }
    for range in &settlement.filtered {
        counts.filtered += settling.take(range)?;
    }
    for letter in &settlement.dead_letters {
        if settling.take(&(letter.position..letter.position.saturating_add(1)))? > 0 {
            dead_letter::insert(connection, &settlement.destination, letter, now_ms)?;
            counts.dead_lettered += 1;
        }
    }
    let arrived = replay::delete(connection, &settlement.destination, &settlement.replayed)?;
    counts.delivered += arrived;
    counts.dead_lettered += dead_letter_limit::fewer_letters(arrived).dead_lettered;
    for failed in &settlement.replay_failed {
        replay::fail(connection, &settlement.destination, failed, now_ms)?;
    }
    let Settling { destination, oldest_finished_ms, .. } = settling;
    let runs = destination.cursor.runs().len();
    if runs > RUNS_LIMIT && runs > runs_before {
        let destination = destination.name;
        return Err(StoreError::TooFragmented { destination, runs, limit: RUNS_LIMIT });
    }
    destination.save(connection, counts)?;
    let too_many_letters = counts.dead_lettered > 0 && dead_letter_limit::is_over(connection, &destination)?;
    Ok(Settled { oldest_finished_ms, too_many_letters })
}

struct Settling<'a> {
    connection: &'a Connection,
    destination: Destination,
    oldest_finished_ms: Option<u64>,
}

impl Settling<'_> {
    /// Settles the range wherever blocks of the organisation lie under it; gives how many events that settled anew.
    fn take(&mut self, range: &Range<u64>) -> Result<u64, StoreError> {
        let mut taken = 0;
        let mut position = self.destination.cursor.next_unsettled(range.start);
        while position < range.end {
            let block = block_row::at_or_after(self.connection, &self.destination.organization, position)?;
            let Some(block) = block.filter(|block| block.positions.start < range.end) else { break };
            let stretch = ranges::overlap(&block.positions, range);
            let settled = self.destination.settle_in_block(self.connection, &block, stretch)?;
            taken += settled.fresh;
            if settled.finished {
                let oldest = self.oldest_finished_ms.unwrap_or(u64::MAX);
                self.oldest_finished_ms = Some(oldest.min(block.stored_ms));
            }
            position = self.destination.cursor.next_unsettled(block.positions.end);
        }
        Ok(taken)
    }
}

//! What ends the life of stored events: each destination's age limit, what is kept beyond need, and the store's size.
//!
//! Runs inside the writer's transactions, in bounded steps. The order matters: what nobody waits for goes before what
//! somebody waits for, and then the organisation that holds most pays first, oldest block first. Every event that a
//! destination still waited for is counted as expired for it.

use crate::block_row::{self, Span};
use crate::config::{StoreConfig, as_millis};
use crate::dead_letter_limit;
use crate::destination::{self, Counts, Destination};
use crate::error::StorageError;
use crate::idempotency;
use crate::log_row::{self, FileSize};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::ops::Range;

/// How many blocks one transaction expires or deletes, so that no commit of a producer waits long behind it.
const STEPS: u32 = 64;
/// One in so many parts of the size limit is left to blocks, whatever dead letters take.
const LEFT_TO_BLOCKS: u64 = 4;

/// What a run of expiry found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    /// The steps were not enough; run again soon.
    pub(crate) more: bool,
    /// When the next event expires or the next block may go, if nothing changes.
    pub(crate) due_ms: Option<u64>,
    /// No event that comes from now on is due sooner than this after its arrival.
    pub(crate) soonest_ms: u64,
}

/// Whether the limits that count bytes are exceeded; the ones that count time are known by their due time.
pub(crate) fn is_over_size(connection: &Connection, config: &StoreConfig) -> rusqlite::Result<bool> {
    let log = log_row::read(connection)?;
    Ok(log.kept_bytes > config.keep.bytes || is_too_large(connection, config)?)
}

/// Whether blocks have to go for the store's size. They are left a part of the limit even when dead letters take all of
/// it: an event must not be acknowledged and expire at once because of what was given up long ago.
fn is_too_large(connection: &Connection, config: &StoreConfig) -> rusqlite::Result<bool> {
    let limit = config.size_limit_bytes;
    let for_blocks = log_row::read(connection)?.bytes > limit / LEFT_TO_BLOCKS;
    Ok(for_blocks && FileSize::read(connection)?.used_bytes() > limit)
}

pub(crate) fn run(
    connection: &Connection,
    config: &StoreConfig,
    now_ms: u64,
) -> Result<Expiry, StorageError> {
    let mut steps = Steps(STEPS);
    expire_by_age(connection, now_ms, &mut steps)?;
    delete_unneeded(connection, config, now_ms, &mut steps)?;
    shrink_to_limit(connection, config, &mut steps)?;
    let more_letters = dead_letter_limit::expire(connection)?;
    let more_keys = idempotency::expire(connection, now_ms)?;
    let more = more_letters || more_keys || steps.are_used_up();
    Ok(Expiry { more, due_ms: due_ms(connection, config)?, soonest_ms: soonest_ms(connection, config)? })
}

struct Steps(u32);

impl Steps {
    fn take(&mut self) -> bool {
        let left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        left
    }

    fn are_used_up(&self) -> bool {
        self.0 == 0
    }
}

/// Expires, for each destination alone, what has waited longer than its age limit.
fn expire_by_age(connection: &Connection, now_ms: u64, steps: &mut Steps) -> Result<(), StorageError> {
    for mut destination in destination::active(connection)? {
        let mut expired = 0;
        while let Some(block) = oldest_waiting(connection, &destination)? {
            let due_ms = block.stored_ms.saturating_add(destination.age_limit_ms);
            if due_ms > now_ms || !steps.take() {
                break;
            }
            let whole = block.positions.clone();
            expired += destination.settle_in_block(connection, &block, whole)?.fresh;
        }
        if expired > 0 {
            destination.save(connection, Counts { expired, ..Counts::default() })?;
            tracing::warn!(
                destination = destination.name,
                events = expired,
                "events expired by the age limit"
            );
        }
    }
    Ok(())
}

/// Deletes what nobody waits for and what `keep` no longer covers.
fn delete_unneeded(
    connection: &Connection,
    config: &StoreConfig,
    now_ms: u64,
    steps: &mut Steps,
) -> Result<(), StorageError> {
    while let Some((organization, block)) = oldest_unawaited(connection)? {
        let too_old = block.stored_ms.saturating_add(as_millis(config.keep.age)) <= now_ms;
        let too_much = log_row::read(connection)?.kept_bytes > config.keep.bytes;
        if !(too_old || too_much) || !steps.take() {
            break;
        }
        delete_block(connection, &organization, &block, Ending::Expired)?;
    }
    Ok(())
}

/// Deletes until the store is within its size limit.
fn shrink_to_limit(
    connection: &Connection,
    config: &StoreConfig,
    steps: &mut Steps,
) -> Result<(), StorageError> {
    while is_too_large(connection, config)? {
        let Some((organization, block)) = next_to_go(connection)? else { break };
        if !steps.take() {
            break;
        }
        let expired = delete_block(connection, &organization, &block, Ending::Expired)?;
        if expired > 0 {
            tracing::warn!(organization, events = expired, "events expired by the store's size limit");
        }
    }
    Ok(())
}

fn next_to_go(connection: &Connection) -> Result<Option<(String, Span)>, StorageError> {
    if let Some(unawaited) = oldest_unawaited(connection)? {
        return Ok(Some(unawaited));
    }
    let Some(organization) = log_row::largest_organization(connection)? else { return Ok(None) };
    Ok(block_row::at_or_after(connection, &organization, 0)?.map(|block| (organization, block)))
}

/// How the events end that are still waited for in a block that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Expired,
    Damaged,
}

/// Deletes a block; gives how many events ended with it, summed over the destinations that waited for them.
pub(crate) fn delete_block(
    connection: &Connection,
    organization: &str,
    block: &Span,
    ending: Ending,
) -> Result<u64, StorageError> {
    let mut ended = 0;
    for mut destination in destination::of_organization(connection, organization)? {
        let whole: Range<u64> = block.positions.clone();
        let fresh = destination.settle_in_block(connection, block, whole)?.fresh;
        if fresh > 0 {
            let counts = match ending {
                Ending::Expired => Counts { expired: fresh, ..Counts::default() },
                Ending::Damaged => Counts { damaged: fresh, ..Counts::default() },
            };
            destination.save(connection, counts)?;
            ended += fresh;
        }
    }
    block_row::delete(connection, block.id())?;
    Ok(ended)
}

fn oldest_waiting(connection: &Connection, destination: &Destination) -> rusqlite::Result<Option<Span>> {
    let first = block_row::first_unsettled(connection, &destination.organization, &destination.cursor, 0)?;
    Ok(first.map(|(span, _)| span))
}

fn oldest_unawaited(connection: &Connection) -> rusqlite::Result<Option<(String, Span)>> {
    const OLDEST: &str = "SELECT organization, first, count, stored_ms FROM blocks \
         INDEXED BY blocks_nobody_awaits WHERE awaited_by = 0 ORDER BY first LIMIT 1";
    let from_row = |row: &Row<'_>| {
        let (first, count): (u64, u64) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, Span { positions: first..first.saturating_add(count), stored_ms: row.get(3)? }))
    };
    connection.prepare_cached(OLDEST)?.query_row(params![], from_row).optional()
}

fn due_ms(connection: &Connection, config: &StoreConfig) -> Result<Option<u64>, StorageError> {
    let mut due: Vec<u64> = Vec::new();
    for destination in destination::active(connection)? {
        if let Some(block) = oldest_waiting(connection, &destination)? {
            due.push(block.stored_ms.saturating_add(destination.age_limit_ms));
        }
    }
    if let Some((_, block)) = oldest_unawaited(connection)? {
        due.push(block.stored_ms.saturating_add(as_millis(config.keep.age)));
    }
    due.extend(idempotency::due_ms(connection)?);
    Ok(due.into_iter().min())
}

fn soonest_ms(connection: &Connection, config: &StoreConfig) -> rusqlite::Result<u64> {
    const SHORTEST: &str = "SELECT min(age_limit_ms) FROM destinations WHERE active";
    let shortest: Option<u64> = connection.prepare_cached(SHORTEST)?.query_row([], |row| row.get(0))?;
    let keep_ms = as_millis(config.keep.age).min(idempotency::KEPT_MS);
    Ok(shortest.map_or(keep_ms, |shortest| shortest.min(keep_ms)))
}

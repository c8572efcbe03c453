//! What a pipeline reads: the next block that it has work in, and a block's events.

use crate::block::{self, BlockId, EventTypes};
use crate::block_row;
use crate::destination;
use crate::error::{LoadError, StoreError};
use rusqlite::{Connection, params};
use siemaphore_model::{EventBuffer, Severity};
use std::ops::Range;

/// A listing gives at most this many.
const LISTED: u32 = 1000;

/// A block as a pipeline sees it before it decides to load it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockHeader {
    pub block: BlockId,
    /// The position of the first event; the others follow without gaps.
    pub first: u64,
    pub count: u64,
    /// What this destination has not settled, at or after the position that was asked for. Never empty.
    pub unsettled: Vec<Range<u64>>,
    pub stored_ms: u64,
    pub highest_severity: Severity,
    pub event_types: EventTypes,
}

pub(crate) fn next_block(
    connection: &Connection,
    name: &str,
    from: u64,
) -> Result<Option<BlockHeader>, StoreError> {
    let destination = destination::get(connection, name)?;
    let next = block_row::first_unsettled(connection, &destination.organization, &destination.cursor, from)?;
    let Some((span, unsettled)) = next else { return Ok(None) };
    let Some((highest_severity, event_types)) = block_row::summary(connection, span.id())? else {
        return Ok(None);
    };
    Ok(Some(BlockHeader {
        block: span.id(),
        first: span.positions.start,
        count: span.positions.end - span.positions.start,
        unsettled,
        stored_ms: span.stored_ms,
        highest_severity,
        event_types,
    }))
}

/// A block as an export sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlock {
    pub block: BlockId,
    pub organization: String,
    /// The position of the first event.
    pub first: u64,
    pub count: u64,
    pub stored_ms: u64,
}

pub(crate) fn blocks_since(
    connection: &Connection,
    since_ms: u64,
    organization: Option<&str>,
    after: u64,
    limit: u32,
) -> rusqlite::Result<Vec<StoredBlock>> {
    const SINCE: &str = "SELECT first, organization, count, stored_ms FROM blocks \
         WHERE first > ?1 AND stored_ms >= ?2 AND (?3 IS NULL OR organization = ?3) ORDER BY first LIMIT ?4";
    let mut statement = connection.prepare_cached(SINCE)?;
    let blocks = statement.query_map(params![after, since_ms, organization, limit.min(LISTED)], |row| {
        let first = row.get(0)?;
        let (organization, count, stored_ms) = (row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(StoredBlock { block: BlockId(first), organization, first, count, stored_ms })
    })?;
    blocks.collect()
}

/// Reads a block's bytes. Checking and decompressing them needs no connection: see [`open`].
pub(crate) fn load(connection: &Connection, block: BlockId) -> Result<(block::Seal, Vec<u8>), LoadError> {
    // Damage of the file itself is an error here: the writer rebuilds the file then.
    block_row::read_data(connection, block)?.ok_or(LoadError::Gone(block))
}

pub(crate) fn open(block: BlockId, seal: block::Seal, data: &[u8]) -> Result<EventBuffer, LoadError> {
    block::open(seal, data).map_err(|reason| LoadError::Damaged { block, reason })
}

//! The rows of `blocks`: the queries that writer and readers share.
//!
//! The data lies in a table of its own, which only [`insert`] and [`read_data`] touch.

use crate::block::{BlockId, EventTypes, Seal, SealedBlock};
use crate::cursor::Cursor;
use rusqlite::{Connection, OptionalExtension, Row, params};
use siemaphore_model::Severity;
use std::ops::Range;

/// Where a block lies and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) positions: Range<u64>,
    pub(crate) stored_ms: u64,
}

impl Span {
    pub(crate) fn id(&self) -> BlockId {
        BlockId(self.positions.start)
    }

    /// From a row of (first, count, stored_ms).
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Span> {
        let (first, count): (u64, u64) = (row.get(0)?, row.get(1)?);
        Ok(Span { positions: first..first.saturating_add(count), stored_ms: row.get(2)? })
    }
}

pub(crate) fn insert(
    connection: &Connection,
    organization: &str,
    stored_ms: u64,
    awaited_by: u64,
    block: &SealedBlock<'_>,
) -> rusqlite::Result<()> {
    const INSERT: &str = "INSERT INTO blocks (first, count, organization, stored_ms, awaited_by, size, raw_bytes, \
         highest_severity, event_types, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    const INSERT_DATA: &str = "INSERT INTO block_data (first, data) VALUES (?1, ?2)";
    connection.prepare_cached(INSERT)?.execute(params![
        block.first,
        block.summary.count,
        organization,
        stored_ms,
        awaited_by,
        block.size(),
        block.raw_bytes,
        block.summary.highest_severity.rank(),
        block.summary.event_types.to_json(),
        block.checksum,
    ])?;
    connection.prepare_cached(INSERT_DATA)?.execute(params![block.first, block.data])?;
    Ok(())
}

/// The organisation's block that holds a position, or else the next one after it.
pub(crate) fn at_or_after(
    connection: &Connection,
    organization: &str,
    position: u64,
) -> rusqlite::Result<Option<Span>> {
    match last_starting_by(connection, organization, position)? {
        Some(span) if span.positions.end > position => Ok(Some(span)),
        _ => first_after(connection, organization, position),
    }
}

/// The organisation's last block whose first position is at most `position`.
pub(crate) fn last_starting_by(
    connection: &Connection,
    organization: &str,
    position: u64,
) -> rusqlite::Result<Option<Span>> {
    const LAST: &str = "SELECT first, count, stored_ms FROM blocks INDEXED BY blocks_by_organization \
         WHERE organization = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1";
    connection.prepare_cached(LAST)?.query_row(params![organization, position], Span::from_row).optional()
}

fn first_after(connection: &Connection, organization: &str, position: u64) -> rusqlite::Result<Option<Span>> {
    const NEXT: &str = "SELECT first, count, stored_ms FROM blocks INDEXED BY blocks_by_organization \
         WHERE organization = ?1 AND first > ?2 ORDER BY first LIMIT 1";
    connection.prepare_cached(NEXT)?.query_row(params![organization, position], Span::from_row).optional()
}

/// The first block with an unsettled event at or after `from`, and those events.
///
/// Settled runs are jumped, so this takes at most one step for each run.
pub(crate) fn first_unsettled(
    connection: &Connection,
    organization: &str,
    cursor: &Cursor,
    from: u64,
) -> rusqlite::Result<Option<(Span, Vec<Range<u64>>)>> {
    let mut position = cursor.next_unsettled(from);
    while let Some(span) = at_or_after(connection, organization, position)? {
        let unsettled = cursor.unsettled(span.positions.start.max(position)..span.positions.end);
        if !unsettled.is_empty() {
            return Ok(Some((span, unsettled)));
        }
        position = cursor.next_unsettled(span.positions.end);
    }
    Ok(None)
}

/// Calls `visit` for each of the organisation's blocks that end after `position`, in order.
pub(crate) fn for_each_after(
    connection: &Connection,
    organization: &str,
    position: u64,
    mut visit: impl FnMut(Span),
) -> rusqlite::Result<()> {
    const FROM: &str = "SELECT first, count, stored_ms FROM blocks INDEXED BY blocks_by_organization \
         WHERE organization = ?1 AND first >= ?2 ORDER BY first";
    let Some(start) = at_or_after(connection, organization, position)? else { return Ok(()) };
    let mut statement = connection.prepare_cached(FROM)?;
    let mut rows = statement.query(params![organization, start.positions.start])?;
    while let Some(row) = rows.next()? {
        visit(Span::from_row(row)?);
    }
    Ok(())
}

/// The summary of one block.
pub(crate) fn summary(
    connection: &Connection,
    block: BlockId,
) -> rusqlite::Result<Option<(Severity, EventTypes)>> {
    const SUMMARY: &str = "SELECT highest_severity, event_types FROM blocks WHERE first = ?1";
    connection
        .prepare_cached(SUMMARY)?
        .query_row([block.0], |row| {
            // A rank that no version wrote must not make a pipeline skip the block.
            let severity = Severity::from_rank(row.get(0)?).unwrap_or(Severity::Critical);
            Ok((severity, EventTypes::from_json(row.get::<_, Option<String>>(1)?.as_deref())))
        })
        .optional()
}

/// The compressed data of one block and what its row says about it.
pub(crate) fn read_data(
    connection: &Connection,
    block: BlockId,
) -> rusqlite::Result<Option<(Seal, Vec<u8>)>> {
    // Data that is missing is damage, not an absent block.
    const DATA: &str = "SELECT count, raw_bytes, checksum, ifnull(data, x'') \
         FROM blocks LEFT JOIN block_data USING (first) WHERE first = ?1";
    connection
        .prepare_cached(DATA)?
        .query_row([block.0], |row| {
            let (count, raw_bytes, checksum) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let data: Vec<u8> = row.get(3)?;
            Ok((Seal { first: block.0, count, raw_bytes, checksum }, data))
        })
        .optional()
}

/// Notes that `change` more (or fewer) active destinations wait for a block.
pub(crate) fn change_awaited_by(
    connection: &Connection,
    block: BlockId,
    change: i64,
) -> rusqlite::Result<()> {
    const CHANGE: &str = "UPDATE blocks SET awaited_by = awaited_by + ?2 WHERE first = ?1";
    connection.prepare_cached(CHANGE)?.execute(params![block.0, change])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, block: BlockId) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM blocks WHERE first = ?1")?.execute([block.0])?;
    Ok(())
}

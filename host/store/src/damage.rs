//! Blocks that fail their checksum: set aside for export, counted for every destination that waited for them, and out
//! of the pipelines' way.

use crate::block::{self, BlockId};
use crate::block_row;
use crate::error::StoreError;
use crate::expiry::{self, Ending};
use rusqlite::{Connection, OptionalExtension, params};

/// The latest damaged blocks that are kept for export.
const KEPT_BLOCKS: u64 = 64;

/// A block that was found damaged and set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedBlock {
    /// The position of its first event.
    pub first: u64,
    pub count: u64,
    pub organization: String,
    pub stored_ms: u64,
    pub found_ms: u64,
    pub reason: String,
    /// What could be read of it; zero when nothing could.
    pub bytes: u64,
}

pub(crate) fn list(connection: &Connection) -> rusqlite::Result<Vec<DamagedBlock>> {
    const LIST: &str = "SELECT first, count, organization, stored_ms, found_ms, reason, ifnull(length(data), 0) \
         FROM damaged_blocks ORDER BY first";
    let mut statement = connection.prepare_cached(LIST)?;
    let blocks = statement.query_map([], |row| {
        Ok(DamagedBlock {
            first: row.get(0)?,
            count: row.get(1)?,
            organization: row.get(2)?,
            stored_ms: row.get(3)?,
            found_ms: row.get(4)?,
            reason: row.get(5)?,
            bytes: row.get(6)?,
        })
    })?;
    blocks.collect()
}

pub(crate) fn data(connection: &Connection, block: BlockId) -> rusqlite::Result<Option<Vec<u8>>> {
    const DATA: &str = "SELECT data FROM damaged_blocks WHERE first = ?1";
    let data: Option<Option<Vec<u8>>> =
        connection.prepare_cached(DATA)?.query_row([block.0], |row| row.get(0)).optional()?;
    Ok(data.flatten())
}

/// Takes a damaged block out of the log. A block that turns out to be sound is left alone.
pub(crate) fn drop_block(connection: &Connection, block: BlockId, now_ms: u64) -> Result<(), StoreError> {
    const ORGANIZATION: &str = "SELECT organization FROM blocks WHERE first = ?1";
    let organization: Option<String> =
        connection.prepare_cached(ORGANIZATION)?.query_row([block.0], |row| row.get(0)).optional()?;
    // Another destination has met the same block and was faster.
    let Some(organization) = organization else { return Ok(()) };
    let Some((reason, data)) = find_damage(connection, block)? else {
        return Err(StoreError::NotDamaged(block));
    };
    keep_for_export(connection, block, &reason, Some(&data), now_ms)?;
    let Some(span) = block_row::at_or_after(connection, &organization, block.0)? else { return Ok(()) };
    let lost = expiry::delete_block(connection, &organization, &span, Ending::Damaged)?;
    tracing::error!(organization, first = block.0, reason, events = lost, "a damaged block was set aside");
    Ok(())
}

/// What is wrong with a block and the bytes that it has, or none when it is sound.
fn find_damage(connection: &Connection, block: BlockId) -> rusqlite::Result<Option<(String, Vec<u8>)>> {
    if let Some(damage) = look(connection, block)? {
        return Ok(Some(damage));
    }
    // What is in memory may be older than the damage on disk, which a reader has met.
    connection.execute_batch("PRAGMA shrink_memory")?;
    look(connection, block)
}

fn look(connection: &Connection, block: BlockId) -> rusqlite::Result<Option<(String, Vec<u8>)>> {
    let found = block_row::read_data(connection, block)?;
    Ok(found.and_then(|(seal, data)| block::open(seal, &data).err().map(|reason| (reason, data))))
}

pub(crate) fn keep_for_export(
    connection: &Connection,
    block: BlockId,
    reason: &str,
    data: Option<&[u8]>,
    now_ms: u64,
) -> rusqlite::Result<()> {
    const KEEP: &str = "INSERT OR REPLACE INTO damaged_blocks \
         SELECT first, count, organization, stored_ms, ?2, ?3, ?4 FROM blocks WHERE first = ?1";
    const FORGET: &str = "DELETE FROM damaged_blocks WHERE first NOT IN \
         (SELECT first FROM damaged_blocks ORDER BY found_ms DESC, first DESC LIMIT ?1)";
    connection.prepare_cached(KEEP)?.execute(params![block.0, now_ms, reason, data])?;
    connection.prepare_cached(FORGET)?.execute([KEPT_BLOCKS])?;
    Ok(())
}

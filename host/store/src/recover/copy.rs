//! Copies what can be read into the new file.
//!
//! Two walks over the damaged pages: first everything but the blocks' data, then the data, each checked against its
//! row. A block's data whose row is lost is trusted only as far as its events prove themselves: each carries a key that
//! is computed from its content.

use crate::block::{self, BlockBuilder, Seal};
use crate::block_row;
use crate::error::StorageError;
use crate::log_row;
use crate::recover::plausible;
use crate::salvage::{self, Pages, Row, Table, Value};
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use siemaphore_model::{EventBuffer, EventKey};
use std::collections::{BTreeMap, BTreeSet};

/// No event of ours is larger.
const RAW_LIMIT_BYTES: usize = 64 << 20;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    pub(crate) blocks: u64,
    pub(crate) damaged_blocks: u64,
    pub(crate) dead_letters: u64,
    pub(crate) destinations: BTreeSet<String>,
    /// How many events each organisation had ever, where that could be read.
    pub(crate) accepted: BTreeMap<String, u64>,
    /// The position after the last, where that could be read.
    pub(crate) next_position: Option<u64>,
    /// No position below this one may be given out again.
    pub(crate) above: u64,
}

pub(crate) fn run(connection: &Connection, pages: &Pages, now_ms: u64) -> Result<Copied, StorageError> {
    let mut copied = Copied::default();
    let take = |row: Row| if plausible::is(&row) { copied.take(connection, &row) } else { Ok(()) };
    salvage::for_each_row(pages, |table| table != Table::BlockData, take)?;
    let mut builder = BlockBuilder::new()?;
    salvage::for_each_row(
        pages,
        |table| table == Table::BlockData,
        |row| take_data(connection, &mut builder, &row, now_ms),
    )?;
    set_aside_without_data(connection, now_ms)?;
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u64>(0));
    copied.blocks = number("SELECT count(*) FROM blocks")?;
    copied.damaged_blocks = number("SELECT count(*) FROM damaged_blocks")?;
    copied.dead_letters = number("SELECT count(*) FROM dead_letters")?;
    copied.above = copied.above.max(number(
        "SELECT max(ifnull((SELECT max(first + count) FROM blocks), 0), \
         ifnull((SELECT max(first + count) FROM damaged_blocks), 0), \
         ifnull((SELECT max(position) + 1 FROM dead_letters), 0))",
    )?);
    Ok(copied)
}

impl Copied {
    fn take(&mut self, connection: &Connection, row: &Row) -> Result<(), StorageError> {
        let values = row.values.as_slice();
        match row.table {
            Table::Log => {
                let next = values.get(1).and_then(Value::integer).and_then(|next| u64::try_from(next).ok());
                self.next_position = self.next_position.max(next);
            }
            Table::Organizations => {
                if let [Value::Text(name), Value::Integer(accepted), ..] = values {
                    log_row::ensure_organization(connection, name)?;
                    self.accepted.insert(name.clone(), u64::try_from(*accepted).unwrap_or(0));
                }
            }
            Table::Blocks => {
                if let Some(organization) = values.get(2).and_then(Value::text) {
                    log_row::ensure_organization(connection, organization)?;
                }
                // Who awaits it is counted again when all destinations are known.
                insert(connection, "blocks", row, &[(4, Value::Integer(0))])?;
            }
            Table::Destinations => {
                if let Some(name) = values.first().and_then(Value::text) {
                    self.destinations.insert(name.to_owned());
                }
                insert(connection, "destinations", row, &[])?;
            }
            Table::DeadLetters => insert(connection, "dead_letters", row, &[])?,
            Table::Replays => insert(connection, "replays", row, &[])?,
            Table::IdempotencyKeys => insert(connection, "idempotency_keys", row, &[])?,
            Table::Grants => insert(connection, "grants", row, &[])?,
            Table::DamagedBlocks => insert(connection, "damaged_blocks", row, &[])?,
            Table::BlockData => {}
        }
        Ok(())
    }
}

/// Inserts a row as it was read, with some columns changed. One that breaks a rule of the table is left out: it is
/// damaged, or a stale copy of one that is there.
fn insert(
    connection: &Connection,
    table: &str,
    row: &Row,
    changed: &[(usize, Value)],
) -> Result<(), StorageError> {
    let mut values = row.values.clone();
    if let (Some(rowid), Some(first @ Value::Null)) = (row.rowid, values.first_mut()) {
        *first = Value::Integer(rowid);
    }
    for (column, value) in changed {
        if let Some(found) = values.get_mut(*column) {
            *found = value.clone();
        }
    }
    const NAMES: &str = "SELECT group_concat(name) FROM \
         (SELECT name FROM pragma_table_info(?1) ORDER BY cid LIMIT ?2)";
    let names: String =
        connection.prepare_cached(NAMES)?.query_row(params![table, values.len()], |row| row.get(0))?;
    let places = vec!["?"; values.len()].join(",");
    let sql = format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({places})");
    connection.prepare_cached(&sql)?.execute(params_from_iter(&values))?;
    Ok(())
}

fn take_data(
    connection: &Connection,
    builder: &mut BlockBuilder,
    row: &Row,
    now_ms: u64,
) -> Result<(), StorageError> {
    let (Some(first), Some(data)) = (row.rowid, row.values.get(1).and_then(Value::blob)) else {
        return Ok(());
    };
    let Ok(first) = u64::try_from(first) else { return Ok(()) };
    let Some(seal) = seal_of(connection, first)? else {
        return rebuild(connection, builder, first, data, now_ms);
    };
    match block::open(seal, data) {
        Ok(_) => {
            const INSERT: &str = "INSERT OR IGNORE INTO block_data (first, data) VALUES (?1, ?2)";
            connection.prepare_cached(INSERT)?.execute(params![first, data])?;
            Ok(())
        }
        Err(reason) => set_aside(connection, first, &reason, Some(data), now_ms),
    }
}

fn seal_of(connection: &Connection, first: u64) -> rusqlite::Result<Option<Seal>> {
    const SEAL: &str = "SELECT count, raw_bytes, checksum FROM blocks WHERE first = ?1";
    let seal = connection.prepare_cached(SEAL)?.query_row([first], |row| {
        Ok(Seal { first, count: row.get(0)?, raw_bytes: row.get(1)?, checksum: row.get(2)? })
    });
    seal.optional()
}

/// Makes a block's row anew from its data, if all its events are what their keys say.
fn rebuild(
    connection: &Connection,
    builder: &mut BlockBuilder,
    first: u64,
    data: &[u8],
    now_ms: u64,
) -> Result<(), StorageError> {
    let Some(events) = sound_events(data) else { return Ok(()) };
    builder.clear();
    let mut organization = None;
    let mut received_ms = u64::MAX;
    let mut iter = events.iter();
    let mut rest = iter.as_bytes();
    while let Some(event) = iter.next() {
        let encoded = rest.get(..rest.len() - iter.as_bytes().len()).unwrap_or_default();
        rest = iter.as_bytes();
        if *organization.get_or_insert(event.organization()) != event.organization() {
            return Ok(());
        }
        received_ms = received_ms.min(event.received_ns() / 1_000_000);
        builder.push(&event, encoded);
    }
    let Some(organization) = organization else { return Ok(()) };
    log_row::ensure_organization(connection, organization)?;
    let sealed = builder.seal(first)?;
    // A producer's clock has no say in this one: it is the host's time of arrival.
    block_row::insert(connection, organization, received_ms.min(now_ms), 0, &sealed)?;
    Ok(())
}

fn sound_events(data: &[u8]) -> Option<EventBuffer> {
    let raw = zstd::bulk::decompress(data, RAW_LIMIT_BYTES).ok()?;
    let events = EventBuffer::from_bytes(raw).ok()?;
    let is_sound = |event: siemaphore_model::Event<'_>| {
        event.key() == EventKey::compute(event.organization(), event.source(), event.id(), event.document())
    };
    events.iter().all(is_sound).then_some(events)
}

/// Blocks whose data was not found.
fn set_aside_without_data(connection: &Connection, now_ms: u64) -> Result<(), StorageError> {
    const WITHOUT: &str = "SELECT first FROM blocks WHERE NOT EXISTS (SELECT 1 FROM block_data WHERE block_data.first = blocks.first)";
    let mut statement = connection.prepare(WITHOUT)?;
    let firsts: Vec<u64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for first in firsts {
        set_aside(connection, first, "its data could not be read", None, now_ms)?;
    }
    Ok(())
}

fn set_aside(
    connection: &Connection,
    first: u64,
    reason: &str,
    data: Option<&[u8]>,
    now_ms: u64,
) -> Result<(), StorageError> {
    crate::damage::keep_for_export(connection, block::BlockId(first), reason, data, now_ms)?;
    Ok(block_row::delete(connection, block::BlockId(first))?)
}

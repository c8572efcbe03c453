//! Numbers that cannot be: a row may be readable and damaged all the same, and one wild counter must not spoil all sums.

use crate::salvage::{Row, Table, Value};

/// Positions and counts of events stay far below, however long a store lives.
const EVENTS: i64 = 1 << 56;
/// A block holds 1 MiB of events, or one larger event.
const BLOCK_EVENTS: i64 = 1 << 20;
const BLOCK_BYTES: i64 = 128 << 20;

/// Whether the row may be what was written.
pub(crate) fn is(row: &Row) -> bool {
    let none_negative = row.values.iter().filter_map(Value::integer).all(|number| number >= 0);
    let below = |limit: i64, columns: &[usize]| {
        columns.iter().all(|column| {
            row.values.get(*column).and_then(Value::integer).is_none_or(|number| number < limit)
        })
    };
    let fits = match row.table {
        Table::Log => below(EVENTS, &[1]),
        Table::Organizations => below(EVENTS, &[1]),
        Table::Blocks => below(BLOCK_EVENTS, &[1]) && below(BLOCK_BYTES, &[5, 6]),
        Table::DamagedBlocks => below(BLOCK_EVENTS, &[1]),
        Table::Destinations => below(EVENTS, &[4, 5, 7, 8, 9, 10, 11, 12, 13]),
        Table::DeadLetters => below(EVENTS, &[2]),
        Table::BlockData | Table::Replays | Table::IdempotencyKeys | Table::Grants => true,
    };
    none_negative && fits && row.rowid.is_none_or(|rowid| (0..EVENTS).contains(&rowid))
}

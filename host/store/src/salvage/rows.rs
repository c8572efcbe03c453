//! Which table a row is from, told by its shape.
//!
//! The shapes of all tables and indexes differ but for one: `organizations` looks like an index of the dead letters.
//! It is told by its root page, which is the same in all our files: roots are laid out in the order of the schema.

use crate::salvage::cells::Cell;
use crate::salvage::pages::Pages;
use crate::salvage::record::{self, Kind, Value};

/// The root page of `organizations`, the second table of the schema.
const ORGANIZATIONS_ROOT: u32 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Log,
    Organizations,
    Blocks,
    BlockData,
    Destinations,
    DeadLetters,
    Replays,
    IdempotencyKeys,
    Grants,
    DamagedBlocks,
}

/// A row that was read, its columns in the order of the schema.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) table: Table,
    pub(crate) rowid: Option<i64>,
    pub(crate) values: Vec<Value>,
}

/// Whether the table numbers its rows, how many columns they may have, and what the first of them are: `n` nothing (the
/// row number stands for it), `i` an integer, `t` text, `b` bytes, `?` anything.
const SHAPES: [(Table, bool, &[usize], &str); 10] = [
    (Table::Log, true, &[6], "niiiii"),
    (Table::Blocks, true, &[10], "nitiiiii?i"),
    (Table::BlockData, true, &[2], "nb"),
    // Rows of format 1 have fewer columns; those of destinations stay so until they are written again.
    (Table::DeadLetters, true, &[15, 17], "ntibtttiittttib"),
    (Table::IdempotencyKeys, true, &[5], "ttbti"),
    (Table::DamagedBlocks, true, &[7], "nitiit?"),
    (Table::Organizations, false, &[3], "tii"),
    (Table::Destinations, false, &[14, 16], "ttiiiibiiiiiii"),
    (Table::Replays, false, &[2], "ti"),
    (Table::Grants, false, &[3], "ttt"),
];

/// The table of a cell, none when it is from no table of ours or from an index.
pub(crate) fn recognise(pages: &Pages, number: u32, page: &[u8], cell: &Cell) -> Option<Table> {
    let kinds = record::kinds(cell.local(page))?;
    let fits = |(_, numbered, columns, shape): &&(Table, bool, &[usize], &str)| {
        *numbered == cell.rowid.is_some() && columns.contains(&kinds.len()) && begins_with(&kinds, shape)
    };
    let (table, ..) = SHAPES.iter().find(fits)?;
    let certain = *table != Table::Organizations || pages.root_of(number) == Some(ORGANIZATIONS_ROOT);
    certain.then_some(*table)
}

fn begins_with(kinds: &[Kind], shape: &str) -> bool {
    shape.chars().zip(kinds).all(|(wanted, kind)| match wanted {
        'n' => *kind == Kind::Null,
        'i' => *kind == Kind::Integer,
        't' => *kind == Kind::Text,
        'b' => *kind == Kind::Blob,
        _ => true,
    })
}

//! Reads what can be read of a damaged database file, page by page, without SQLite.
//!
//! SQLite finds a row by walking down from the table's root, so one damaged page on the way hides all that is below
//! it, and a damaged first page hides everything. Here every page is looked at by itself: a leaf that is whole gives its
//! rows, whatever happened to the pages above it. Which table a row is from shows in its shape. Pages that SQLite has
//! marked as free are passed over, so deleted rows do not come back.
//!
//! The format is that of <https://www.sqlite.org/fileformat.html>, as far as our own files use it: one page size, UTF-8,
//! no reserved bytes, pointer map pages (`auto_vacuum`).

mod cells;
mod pages;
mod record;
mod rows;
mod wal;

pub(crate) use pages::Pages;
pub(crate) use record::Value;
pub(crate) use rows::{Row, Table};

use crate::error::StorageError;
use std::path::Path;

/// How many commits of a write-ahead log lie behind a frame that is damaged. Frames of a commit that failed look like
/// one, so a single one means nothing.
pub(crate) fn lost_commits(journal: &Path) -> u64 {
    std::fs::File::open(journal).map_or(0, |journal| wal::read(&journal).lost_commits)
}

/// Calls `visit` for each row of our tables that can be read, in no order that means anything.
pub(crate) fn for_each_row(
    pages: &Pages,
    wanted: impl Fn(Table) -> bool,
    mut visit: impl FnMut(Row) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    for number in 1..=pages.count() {
        if pages.is_free(number) {
            continue;
        }
        let Some(page) = pages.read(number) else { continue };
        for cell in cells::of_page(number, &page) {
            let Some(table) = rows::recognise(pages, number, &page, &cell) else { continue };
            if !wanted(table) {
                continue;
            }
            let Some(payload) = cell.payload(pages, &page) else { continue };
            let Some(values) = record::decode(&payload) else { continue };
            visit(Row { table, rowid: cell.rowid, values })?;
        }
    }
    Ok(())
}

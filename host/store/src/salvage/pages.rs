//! The pages of a database file, with the committed pages of its write-ahead log laid over them.

use crate::error::StorageError;
use crate::salvage::wal;
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// All our files have this page size; the header that says so may be what is damaged.
pub(crate) const PAGE_BYTES: usize = 16 << 10;
/// One pointer map page describes this many pages, five bytes for each.
const MAPPED: u32 = PAGE_BYTES as u32 / 5;
/// In the pointer map: the page is free.
const FREE: u8 = 2;
/// In the pointer map: the page is the root of a table or an index.
const ROOT: u8 = 1;
/// No tree of ours is deeper.
const DEPTH: usize = 16;

pub(crate) struct Pages {
    /// None when there is no file any more.
    file: Option<File>,
    journal: Option<File>,
    /// Where in the journal the newest committed form of a page lies.
    journaled: HashMap<u32, u64>,
    count: u32,
}

impl Pages {
    pub(crate) fn open(database: &Path, journal: &Path) -> Result<Pages, StorageError> {
        let file = match File::open(database) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            opened => Some(opened.map_err(StorageError::file("open", database))?),
        };
        let bytes = match &file {
            Some(file) => file.metadata().map_err(StorageError::file("read", database))?.len(),
            None => 0,
        };
        // A journal that is missing or cannot be opened has nothing to add.
        let journal = File::open(journal).ok();
        let journaled = journal.as_ref().map(|journal| wal::read(journal).committed).unwrap_or_default();
        let in_file = u32::try_from(bytes.div_ceil(PAGE_BYTES as u64)).unwrap_or(u32::MAX);
        let count = journaled.keys().copied().max().unwrap_or(0).max(in_file);
        Ok(Pages { file, journal, journaled, count })
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// A page as it was last committed; none when the file ends before it or the disk does not give it.
    pub(crate) fn read(&self, number: u32) -> Option<Vec<u8>> {
        let mut page = vec![0; PAGE_BYTES];
        match (self.journaled.get(&number), &self.journal) {
            (Some(&at), Some(journal)) => journal.read_exact_at(&mut page, at).ok()?,
            _ => {
                let at = u64::from(number.checked_sub(1)?) * PAGE_BYTES as u64;
                self.file.as_ref()?.read_exact_at(&mut page, at).ok()?;
            }
        }
        Some(page)
    }

    /// Whether the page holds nothing, or is itself part of the pointer map.
    pub(crate) fn is_free(&self, number: u32) -> bool {
        number > 1
            && (map_page_of(number) == number || self.map_entry(number).is_some_and(|(kind, _)| kind == FREE))
    }

    /// The root of the tree that the page belongs to.
    pub(crate) fn root_of(&self, number: u32) -> Option<u32> {
        let mut number = number;
        for _ in 0..DEPTH {
            match self.map_entry(number)? {
                (ROOT, _) => return Some(number),
                (_, parent) => number = parent,
            }
        }
        None
    }

    /// What the pointer map says of a page: its kind and its parent.
    fn map_entry(&self, number: u32) -> Option<(u8, u32)> {
        let map_page = map_page_of(number);
        let offset = 5 * usize::try_from(number.checked_sub(map_page)?.checked_sub(1)?).ok()?;
        let map = self.read(map_page)?;
        let (kind, parent) = map.get(offset..offset + 5)?.split_first()?;
        Some((*kind, u32::from_be_bytes(parent.try_into().ok()?)))
    }
}

/// The pointer map page that describes a page.
fn map_page_of(number: u32) -> u32 {
    number - number.saturating_sub(2) % (MAPPED + 1)
}

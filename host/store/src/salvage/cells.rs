//! The cells of one leaf page: where each row's payload lies, and the rest of it on overflow pages.

use crate::salvage::pages::{PAGE_BYTES, Pages};

const TABLE_LEAF: u8 = 0x0d;
const INDEX_LEAF: u8 = 0x0a;
/// The first page begins with the file's header.
const FILE_HEADER_BYTES: usize = 100;
/// What no row of ours exceeds: a longer payload is damage.
const PAYLOAD_LIMIT: u64 = 80 << 20;

/// A row as it lies on its page.
#[derive(Debug)]
pub(crate) struct Cell {
    /// None in an index and in a table without row numbers.
    pub(crate) rowid: Option<i64>,
    /// Where on the page the payload begins.
    start: usize,
    /// How much of it lies on this page.
    local: usize,
    total: usize,
}

/// The cells of a page, none when it is no leaf. Cells that cannot be are left out.
pub(crate) fn of_page(number: u32, page: &[u8]) -> Vec<Cell> {
    let header = if number == 1 { FILE_HEADER_BYTES } else { 0 };
    let is_table = match page.get(header) {
        Some(&TABLE_LEAF) => true,
        Some(&INDEX_LEAF) => false,
        _ => return Vec::new(),
    };
    let Some(count) = short(page, header + 3) else { return Vec::new() };
    let pointers = (0..count).filter_map(|index| short(page, header + 8 + 2 * index));
    pointers.filter_map(|at| cell(page, at, is_table)).collect()
}

fn cell(page: &[u8], at: usize, is_table: bool) -> Option<Cell> {
    let mut at = at;
    let total = varint(page, &mut at)?;
    if total > PAYLOAD_LIMIT {
        return None;
    }
    let total = usize::try_from(total).ok()?;
    let rowid = if is_table { Some(varint(page, &mut at)?.cast_signed()) } else { None };
    let local = local_bytes(total, is_table);
    (at + local <= page.len()).then_some(Cell { rowid, start: at, local, total })
}

/// How much of a payload lies on the leaf itself.
fn local_bytes(total: usize, is_table: bool) -> usize {
    let most = if is_table { PAGE_BYTES - 35 } else { (PAGE_BYTES - 12) * 64 / 255 - 23 };
    let least = (PAGE_BYTES - 12) * 32 / 255 - 23;
    if total <= most {
        return total;
    }
    let surplus = least + (total - least) % (PAGE_BYTES - 4);
    if surplus <= most { surplus } else { least }
}

impl Cell {
    /// What lies on the page: enough to see the row's shape.
    pub(crate) fn local<'a>(&self, page: &'a [u8]) -> &'a [u8] {
        page.get(self.start..self.start + self.local).unwrap_or_default()
    }

    /// The whole payload; none when an overflow page is missing.
    pub(crate) fn payload(&self, pages: &Pages, page: &[u8]) -> Option<Vec<u8>> {
        let mut payload = self.local(page).to_vec();
        if payload.len() == self.total {
            return Some(payload);
        }
        let after = self.start + self.local;
        let mut next = long(page, after)?;
        // Bounded: each page on the chain adds bytes.
        while payload.len() < self.total {
            let overflow = pages.read(next)?;
            let missing = (self.total - payload.len()).min(PAGE_BYTES - 4);
            payload.extend_from_slice(overflow.get(4..4 + missing)?);
            next = long(&overflow, 0)?;
        }
        Some(payload)
    }
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// SQLite's variable-length number: seven bits a byte, the highest first; a ninth byte gives all its eight.
pub(crate) fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value: u64 = 0;
    for index in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if index == 8 {
            return Some(value << 8 | u64::from(byte));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salvage::record;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_give_cells_within_their_page(
            kind in prop_oneof![Just(TABLE_LEAF), Just(INDEX_LEAF), any::<u8>()],
            start in prop::collection::vec(any::<u8>(), 8..600),
            end in prop::collection::vec(any::<u8>(), 0..600),
            number in 1..3_u32,
        ) {
            let mut page = vec![0; PAGE_BYTES];
            let header = if number == 1 { FILE_HEADER_BYTES } else { 0 };
            page[header..header + start.len()].copy_from_slice(&start);
            page[header] = kind;
            page[PAGE_BYTES - end.len()..].copy_from_slice(&end);
            for cell in of_page(number, &page) {
                let local = cell.local(&page);
                prop_assert_eq!(local.len(), cell.local);
                if let Some(values) = record::decode(local) {
                    prop_assert_eq!(record::kinds(local).map(|kinds| kinds.len()), Some(values.len()));
                }
            }
        }
    }

    #[test]
    fn numbers_are_read_in_all_their_lengths() {
        let read = |bytes: &[u8]| {
            let mut at = 0;
            (varint(bytes, &mut at), at)
        };
        assert_eq!(read(&[0x7f]), (Some(127), 1));
        assert_eq!(read(&[0x81, 0x00]), (Some(128), 2));
        assert_eq!(read(&[0xff; 9]), (Some(u64::MAX), 9));
        assert_eq!(read(&[0x81]), (None, 1));
    }
}

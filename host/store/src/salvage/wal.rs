//! The write-ahead log: which pages it holds that were committed.
//!
//! A frame counts when its checksum continues the chain from the header and a commit follows it. The rest is what a
//! crash left behind, and was never acknowledged.

use crate::salvage::pages::PAGE_BYTES;
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// The last bit says whether checksums were computed over big-endian words.
const MAGIC: u32 = 0x377f_0682;

/// Where the newest committed form of each page lies.
pub(crate) fn committed(journal: &File) -> HashMap<u32, u64> {
    scan(journal).unwrap_or_default()
}

fn scan(journal: &File) -> Option<HashMap<u32, u64>> {
    let mut header = [0; HEADER_BYTES];
    journal.read_exact_at(&mut header, 0).ok()?;
    let (magic, salts) = (word(&header, 0)?, header.get(16..24)?);
    let big_endian = magic & 1 == 1;
    let mut sum = checksum((0, 0), header.get(..24)?, big_endian);
    if magic & !1 != MAGIC || sum != (word(&header, 24)?, word(&header, 28)?) {
        return None;
    }
    let (mut committed, mut pending) = (HashMap::new(), Vec::new());
    let mut frame = vec![0; FRAME_HEADER_BYTES + PAGE_BYTES];
    let mut at = HEADER_BYTES as u64;
    while journal.read_exact_at(&mut frame, at).is_ok() {
        let (head, page) = frame.split_at_checked(FRAME_HEADER_BYTES)?;
        sum = checksum(checksum(sum, head.get(..8)?, big_endian), page, big_endian);
        if head.get(8..16)? != salts || sum != (word(head, 16)?, word(head, 20)?) {
            break;
        }
        pending.push((word(head, 0)?, at + FRAME_HEADER_BYTES as u64));
        let commits = word(head, 4)? > 0;
        if commits {
            committed.extend(pending.drain(..));
        }
        at += frame.len() as u64;
    }
    Some(committed)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn checksum(start: (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let read = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
    let (words, _) = bytes.as_chunks::<4>();
    let (pairs, _) = words.as_chunks::<2>();
    pairs.iter().fold(start, |(first, second), [left, right]| {
        let first = first.wrapping_add(read(*left)).wrapping_add(second);
        (first, second.wrapping_add(read(*right)).wrapping_add(first))
    })
}

//! The write-ahead log: which pages it holds that were committed.
//!
//! A frame counts when its checksum continues the chain from the header and a commit follows it. What comes after is what
//! a crash or a failed commit left behind; or else the journal is damaged.

use crate::salvage::pages::PAGE_BYTES;
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// The last bit says whether checksums were computed over big-endian words.
const MAGIC: u32 = 0x377f_0682;

/// What a journal holds.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Where the newest committed form of each page lies.
    pub(crate) committed: HashMap<u32, u64>,
    /// Commits that lie behind a damaged frame. SQLite does not read them, and neither do we: their pages may be older
    /// than what was committed in their place.
    pub(crate) lost_commits: u64,
}

pub(crate) fn read(journal: &File) -> Journal {
    scan(journal).unwrap_or_default()
}

fn scan(file: &File) -> Option<Journal> {
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, 0).ok()?;
    let mut frame = vec![0; FRAME_HEADER_BYTES + PAGE_BYTES];
    let start = checksum((0, 0), header.get(..24)?, is_big_endian(&header));
    let mut intact = word(&header, 0)? & !1 == MAGIC && start == (word(&header, 24)?, word(&header, 28)?);
    let mut sum = start;
    let mut salts = header.get(16..24)?.to_vec();
    let (mut journal, mut pending, mut at) = (Journal::default(), Vec::new(), HEADER_BYTES as u64);
    while file.read_exact_at(&mut frame, at).is_ok() {
        if !intact && at == HEADER_BYTES as u64 {
            // Without a header the first frame has to tell; its own checksum is believed.
            salts = frame.get(8..16)?.to_vec();
        }
        let (head, page) = frame.split_at_checked(FRAME_HEADER_BYTES)?;
        let found =
            checksum(checksum(sum, head.get(..8)?, is_big_endian(&header)), page, is_big_endian(&header));
        sum = (word(head, 16)?, word(head, 20)?);
        let commits = word(head, 4)? > 0;
        if head.get(8..16)? != salts.as_slice() || found != sum {
            intact = false;
        } else if intact {
            pending.push((word(head, 0)?, at + FRAME_HEADER_BYTES as u64));
            if commits {
                journal.committed.extend(pending.drain(..));
            }
        } else if commits {
            journal.lost_commits += 1;
        }
        at += frame.len() as u64;
    }
    Some(journal)
}

/// How the words are ordered that checksums are computed over: as on the machine that wrote the journal.
fn is_big_endian(header: &[u8]) -> bool {
    match word(header, 0) {
        Some(magic) if magic & !1 == MAGIC => magic & 1 == 1,
        _ => cfg!(target_endian = "big"),
    }
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

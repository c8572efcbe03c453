//! One block: up to 1 MiB of encoded events of one organisation, compressed and checksummed, with a summary that lets
//! a pipeline skip it unread.

use crate::error::StorageError;
use siemaphore_model::{Event, EventBuffer, Severity};

/// A block is sealed before it grows beyond this. One event that is larger gets a block of its own.
pub(crate) const BLOCK_BYTES: usize = 1 << 20;
/// A stored size above this is damage: no door of the host lets such an event in.
const RAW_LIMIT_BYTES: u64 = 64 << 20;
/// What a row takes beside its data: columns, index entries, and what its last page leaves unused.
const ROW_BYTES: u64 = 512;
/// Beyond these a summary says "any".
const LISTED_TYPES: usize = 64;
const TYPE_BYTES: usize = 128;
/// The fastest of the ordinary levels, 8 to 13x on security events. The negative ones take a quarter less time, and half as
/// much space again.
const COMPRESSION_LEVEL: i32 = 1;

/// The position of a block's first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub u64);

/// Which event types a block holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTypes {
    /// All of them, each with the number of its events.
    Listed(Vec<(String, u64)>),
    /// Too many to list: the block has to be read.
    Any,
}

impl EventTypes {
    /// Whether one of the types may satisfy `wanted`: false means that the block can be skipped unread.
    pub fn may_match(&self, mut wanted: impl FnMut(&str) -> bool) -> bool {
        match self {
            EventTypes::Listed(types) => types.iter().any(|(event_type, _)| wanted(event_type)),
            EventTypes::Any => true,
        }
    }

    /// The types, unless there are too many.
    pub fn listed(&self) -> Option<impl Iterator<Item = &str>> {
        match self {
            EventTypes::Listed(types) => Some(types.iter().map(|(event_type, _)| event_type.as_str())),
            EventTypes::Any => None,
        }
    }

    pub(crate) fn to_json(&self) -> Option<String> {
        match self {
            EventTypes::Listed(types) => serde_json::to_string(types).ok(),
            EventTypes::Any => None,
        }
    }

    pub(crate) fn from_json(json: Option<&str>) -> EventTypes {
        // What cannot be read does not allow a block to be skipped.
        json.and_then(|json| serde_json::from_str(json).ok()).map_or(EventTypes::Any, EventTypes::Listed)
    }
}

/// What is known about a block without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) highest_severity: Severity,
    pub(crate) event_types: EventTypes,
}

impl Default for Summary {
    fn default() -> Summary {
        Summary {
            count: 0,
            highest_severity: Severity::Informational,
            event_types: EventTypes::Listed(Vec::new()),
        }
    }
}

impl Summary {
    fn add(&mut self, event: &Event<'_>) {
        self.count += 1;
        self.highest_severity = self.highest_severity.max(event.severity());
        let EventTypes::Listed(types) = &mut self.event_types else { return };
        let event_type = event.event_type();
        // A block has a handful of types: a scan beats hashing.
        if let Some((_, count)) = types.iter_mut().find(|(listed, _)| listed == event_type) {
            *count += 1;
        } else if types.len() < LISTED_TYPES && event_type.len() <= TYPE_BYTES {
            types.push((event_type.to_owned(), 1));
        } else {
            self.event_types = EventTypes::Any;
        }
    }
}

/// Takes events and seals them as blocks. Its memory is used again for each block.
pub(crate) struct BlockBuilder {
    compressor: zstd::bulk::Compressor<'static>,
    raw: Vec<u8>,
    compressed: Vec<u8>,
    summary: Summary,
}

impl BlockBuilder {
    pub(crate) fn new() -> Result<BlockBuilder, StorageError> {
        let compressor = zstd::bulk::Compressor::new(COMPRESSION_LEVEL).map_err(compression)?;
        Ok(BlockBuilder { compressor, raw: Vec::new(), compressed: Vec::new(), summary: Summary::default() })
    }

    /// Forgets what was not sealed.
    pub(crate) fn clear(&mut self) {
        self.raw.clear();
        self.summary = Summary::default();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.summary.count == 0
    }

    pub(crate) fn has_room_for(&self, encoded: &[u8]) -> bool {
        self.is_empty() || self.raw.len() + encoded.len() <= BLOCK_BYTES
    }

    /// Takes one event; `encoded` are its bytes.
    pub(crate) fn push(&mut self, event: &Event<'_>, encoded: &[u8]) {
        self.raw.extend_from_slice(encoded);
        self.summary.add(event);
    }

    /// Seals what was pushed, at its position.
    pub(crate) fn seal(&mut self, first: u64) -> Result<SealedBlock<'_>, StorageError> {
        self.compressed.clear();
        self.compressed.reserve(zstd::zstd_safe::compress_bound(self.raw.len()));
        self.compressor.compress_to_buffer(&self.raw, &mut self.compressed).map_err(compression)?;
        let raw_bytes = self.raw.len() as u64;
        let summary = std::mem::take(&mut self.summary);
        self.raw.clear();
        let checksum = checksum(first, summary.count, raw_bytes, &self.compressed);
        Ok(SealedBlock { first, summary, raw_bytes, checksum, data: &self.compressed })
    }
}

fn compression(error: std::io::Error) -> StorageError {
    StorageError::Compression(error.into())
}

/// A block as it is stored.
#[derive(Debug)]
pub(crate) struct SealedBlock<'a> {
    pub(crate) first: u64,
    pub(crate) summary: Summary,
    pub(crate) raw_bytes: u64,
    pub(crate) checksum: u32,
    pub(crate) data: &'a [u8],
}

impl SealedBlock<'_> {
    pub(crate) fn size(&self) -> u64 {
        self.data.len() as u64 + ROW_BYTES
    }
}

/// What a block's row says about its data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seal {
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) raw_bytes: u64,
    pub(crate) checksum: u32,
}

/// Reads a stored block back, or says what is wrong with it.
pub(crate) fn open(seal: Seal, data: &[u8]) -> Result<EventBuffer, String> {
    let found = checksum(seal.first, seal.count, seal.raw_bytes, data);
    if found != seal.checksum {
        return Err(format!("checksum {found:08x} instead of {:08x}", seal.checksum));
    }
    let capacity = usize::try_from(seal.raw_bytes.min(RAW_LIMIT_BYTES)).unwrap_or(0);
    let raw = zstd::bulk::decompress(data, capacity).map_err(|error| error.to_string())?;
    let events = EventBuffer::from_bytes(raw).map_err(|error| error.to_string())?;
    if events.len() as u64 != seal.count {
        return Err(format!("{} events instead of {}", events.len(), seal.count));
    }
    Ok(events)
}

/// Covers the position too, so that a block in the wrong place is noticed.
pub(crate) fn checksum(first: u64, count: u64, raw_bytes: u64, data: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for number in [first, count, raw_bytes] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(data);
    hasher.finalize()
}

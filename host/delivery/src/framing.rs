//! Records to bodies, within three kinds of limit: records in a body, bytes of a body with all that the framing adds,
//! bytes of one record. All are counted before compression, as SIEMs do.
//!
//! Greedy and in order: each body takes as many records as fit. A record that is too large on its own ends the body
//! before it and is reported; it is never sent, since it would take its neighbours down with it.

use std::io::{self, BufWriter, Write};

use bytes::Bytes;
use flate2::write::GzEncoder;
use siemaphore_model::formatter::{Compression, Framing};
use thiserror::Error;

use crate::GrantedProfile;

/// Smaller bodies are sent as they are: gzip's own header and table would eat the gain.
const MIN_COMPRESSED_BYTES: usize = 1024;
/// The fastest level. JSON events shrink about as well as with higher ones, at a fraction of the time.
const GZIP_LEVEL: u32 = 1;

/// What the encoder is given at once. It zeroes 32 KiB of its own at each call, which costs as much as a short record.
const GATHERED_BYTES: usize = 64 * 1024;

/// A body, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FramedBody {
    pub bytes: Bytes,
    /// How `bytes` is compressed, if it is.
    pub encoding: Option<Compression>,
    /// How long the body was before compression.
    pub uncompressed_bytes: usize,
}

/// A body and the records in it: `count` of them, from `first` in the slice that was framed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framed {
    pub first: usize,
    pub count: usize,
    pub body: FramedBody,
}

/// A record that no request can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the record has {bytes} bytes, and a request can hold one of {limit} at most")]
pub struct TooLarge {
    pub index: usize,
    pub bytes: usize,
    /// The largest that the profile's limits leave for a record.
    pub limit: usize,
}

/// What became of a slice of records: each is in exactly one body or in `too_large`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frames {
    pub bodies: Vec<Framed>,
    pub too_large: Vec<TooLarge>,
}

/// Frames `records`, none of which is empty (the records of rejected events are left out by the caller).
pub fn frame(profile: &GrantedProfile, records: &[&[u8]]) -> Frames {
    let plan = Plan::of(profile);
    let mut frames = Frames::default();
    let mut first = 0;
    while let Some(rest) = records.get(first..).filter(|rest| !rest.is_empty()) {
        let count = plan.fitting(rest);
        let Some(taken) = rest.get(..count).filter(|taken| !taken.is_empty()) else {
            let bytes = rest.first().map_or(0, |record| record.len());
            frames.too_large.push(TooLarge { index: first, bytes, limit: plan.record_bytes });
            first += 1;
            continue;
        };
        frames.bodies.push(Framed { first, count, body: plan.body(taken) });
        first += count;
    }
    frames
}

/// The bytes that a framing adds to a body with one record.
pub(crate) fn overhead_of_one(framing: &Framing) -> usize {
    let parts = Parts::of(framing);
    parts.prefix.len() + parts.suffix.len() + parts.terminator.len()
}

/// What stands around records.
#[derive(Clone, Copy)]
struct Parts<'a> {
    prefix: &'a [u8],
    separator: &'a [u8],
    /// After every record, the last one too.
    terminator: &'a [u8],
    suffix: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(framing: &'a Framing) -> Self {
        let nothing = Parts { prefix: b"", separator: b"", terminator: b"", suffix: b"" };
        match framing {
            Framing::JsonArray => Parts { prefix: b"[", separator: b",", suffix: b"]", ..nothing },
            Framing::Newline => Parts { terminator: b"\n", ..nothing },
            Framing::Concatenated | Framing::OnePerRequest => nothing,
            Framing::Enclosed { prefix, separator, suffix } => Parts { prefix, separator, suffix, ..nothing },
        }
    }
}

/// A profile's framing and limits in the form that framing needs them.
struct Plan<'a> {
    parts: Parts<'a>,
    records: usize,
    body_bytes: usize,
    record_bytes: usize,
    compression: Option<Compression>,
}

impl<'a> Plan<'a> {
    fn of(granted: &'a GrantedProfile) -> Self {
        let profile = granted.profile();
        let body_bytes = profile.limits.body_bytes as usize;
        let room = body_bytes.saturating_sub(overhead_of_one(&profile.framing));
        let one_per_request = profile.framing == Framing::OnePerRequest;
        Plan {
            parts: Parts::of(&profile.framing),
            records: if one_per_request { 1 } else { profile.limits.records as usize },
            body_bytes,
            record_bytes: room.min(profile.limits.record_bytes as usize),
            compression: granted.compression(),
        }
    }

    /// How many of the first records fit into one body; 0 when the first is too large on its own.
    fn fitting(&self, records: &[&[u8]]) -> usize {
        let mut bytes = self.parts.prefix.len() + self.parts.suffix.len();
        let mut count = 0;
        for record in records.iter().take(self.records) {
            let separator = if count == 0 { 0 } else { self.parts.separator.len() };
            bytes += separator + record.len() + self.parts.terminator.len();
            if record.len() > self.record_bytes || bytes > self.body_bytes {
                break;
            }
            count += 1;
        }
        count
    }

    fn size(&self, records: &[&[u8]]) -> usize {
        let parts = &self.parts;
        let separators = parts.separator.len() * records.len().saturating_sub(1);
        let payload: usize = records.iter().map(|record| record.len() + parts.terminator.len()).sum();
        parts.prefix.len() + payload + separators + parts.suffix.len()
    }

    fn body(&self, records: &[&[u8]]) -> FramedBody {
        let uncompressed_bytes = self.size(records);
        let compress =
            self.compression == Some(Compression::Gzip) && uncompressed_bytes >= MIN_COMPRESSED_BYTES;
        if compress && let Ok(bytes) = self.gzipped(records, uncompressed_bytes) {
            return FramedBody { bytes, encoding: Some(Compression::Gzip), uncompressed_bytes };
        }
        let mut plain = Vec::with_capacity(uncompressed_bytes);
        // Writing to a vector cannot fail.
        let written = self.write(records, &mut plain);
        debug_assert!(written.is_ok());
        FramedBody { bytes: plain.into(), encoding: None, uncompressed_bytes }
    }

    fn gzipped(&self, records: &[&[u8]], uncompressed_bytes: usize) -> io::Result<Bytes> {
        // Events shrink to a fifth or less; what this reserves is seldom exceeded and soon freed.
        let target = Vec::with_capacity(uncompressed_bytes / 4);
        let encoder = GzEncoder::new(target, flate2::Compression::new(GZIP_LEVEL));
        let mut gathered = BufWriter::with_capacity(GATHERED_BYTES, encoder);
        self.write(records, &mut gathered)?;
        Ok(gathered.into_inner()?.finish()?.into())
    }

    fn write(&self, records: &[&[u8]], target: &mut impl Write) -> io::Result<()> {
        target.write_all(self.parts.prefix)?;
        for (index, record) in records.iter().enumerate() {
            if index > 0 {
                target.write_all(self.parts.separator)?;
            }
            target.write_all(record)?;
            target.write_all(self.parts.terminator)?;
        }
        target.write_all(self.parts.suffix)
    }
}

#[cfg(test)]
mod tests;

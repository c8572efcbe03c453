//! Many events in one run of bytes: what intake fills, the store compresses and the sandbox reads back without copies.
//!
//! One event is, all integers little-endian:
//!
//! ```text
//! u32 length of what follows · [u8; 16] key · u64 timestamp-ns · u64 received-ns · u8 severity · u8 has-project
//! u32 x 8: lengths of id, event-type, timestamp, source, producer, organization, project, document · their bytes
//! ```
//!
//! This is a stored format: a change needs a new block version in the store.

use crate::{Event, EventKey, Severity};

/// The bytes of an event before its texts: the length, the fixed fields and the eight text lengths.
const HEADER_BYTES: usize = 4 + 16 + 8 + 8 + 1 + 1 + 8 * 4;
const TEXTS: usize = 8;

/// Encoded events, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventBuffer {
    bytes: Vec<u8>,
    count: usize,
}

impl EventBuffer {
    pub fn new() -> EventBuffer {
        EventBuffer::default()
    }

    pub fn with_capacity(bytes: usize) -> EventBuffer {
        EventBuffer { bytes: Vec::with_capacity(bytes), count: 0 }
    }

    pub fn push(&mut self, event: &Event<'_>) {
        let texts = [
            event.id,
            event.event_type,
            event.timestamp,
            event.source,
            event.producer,
            event.organization,
            event.project.unwrap_or_default(),
            event.document,
        ];
        let text_bytes: usize = texts.iter().map(|text| text.len()).sum();
        let bytes = &mut self.bytes;
        bytes.reserve(HEADER_BYTES + text_bytes);
        bytes.extend_from_slice(&length(HEADER_BYTES - 4 + text_bytes));
        bytes.extend_from_slice(event.key.as_bytes());
        bytes.extend_from_slice(&event.timestamp_ns.to_le_bytes());
        bytes.extend_from_slice(&event.received_ns.to_le_bytes());
        bytes.extend_from_slice(&[event.severity.rank(), u8::from(event.project.is_some())]);
        for text in texts {
            bytes.extend_from_slice(&length(text.len()));
        }
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
        }
        self.count += 1;
    }

    /// Appends all events of another buffer.
    pub fn append(&mut self, other: &EventBuffer) {
        self.bytes.extend_from_slice(&other.bytes);
        self.count += other.count;
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes back what [`as_bytes`](Self::as_bytes) gave, after checking all of it.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<EventBuffer, DecodeError> {
        let mut rest = bytes.as_slice();
        let mut count = 0;
        while !rest.is_empty() {
            let offset = bytes.len() - rest.len();
            (_, rest) = decode(rest).ok_or(DecodeError { offset })?;
            count += 1;
        }
        Ok(EventBuffer { bytes, count })
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter { rest: &self.bytes, remaining: self.count }
    }
}

impl<'a> IntoIterator for &'a EventBuffer {
    type Item = Event<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The events of a buffer, in order.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    rest: &'a [u8],
    remaining: usize,
}

impl<'a> Iter<'a> {
    /// The encoded bytes of the events that are still to come: where one event ends and the next begins.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let (event, rest) = decode(self.rest)?;
        self.rest = rest;
        self.remaining = self.remaining.saturating_sub(1);
        Some(event)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// The bytes are not events that this version wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event at byte {offset} is damaged")]
pub struct DecodeError {
    pub offset: usize,
}

fn length(bytes: usize) -> [u8; 4] {
    // An event is at most 256 KiB at the door; a longer text could not have become an `Event`.
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

fn decode(bytes: &[u8]) -> Option<(Event<'_>, &[u8])> {
    let mut cursor = Cursor(bytes);
    let body = usize::try_from(cursor.u32()?).ok()?;
    let rest = cursor.0.get(body..)?;
    cursor.0 = cursor.0.get(..body)?;
    let key = EventKey::from_bytes(cursor.array()?);
    let timestamp_ns = u64::from_le_bytes(cursor.array()?);
    let received_ns = u64::from_le_bytes(cursor.array()?);
    let [rank, has_project] = cursor.array()?;
    let severity = Severity::from_rank(rank)?;
    let mut lengths = [0; TEXTS];
    for length in &mut lengths {
        *length = usize::try_from(cursor.u32()?).ok()?;
    }
    // One check of the encoding for all texts; slicing a `str` then only checks the borders.
    let mut texts = std::str::from_utf8(cursor.0).ok()?;
    let mut fields = [""; TEXTS];
    for (field, length) in fields.iter_mut().zip(lengths) {
        (*field, texts) = texts.split_at_checked(length)?;
    }
    let [id, event_type, timestamp, source, producer, organization, project, document] = fields;
    let project = (has_project != 0).then_some(project);
    let event = Event {
        key,
        id,
        event_type,
        timestamp,
        timestamp_ns,
        received_ns,
        severity,
        source,
        producer,
        organization,
        project,
        document,
    };
    texts.is_empty().then_some((event, rest))
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.array()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event<'a>(id: &'a str, project: Option<&'a str>, document: &'a str) -> Event<'a> {
        Event {
            key: EventKey::compute("acme", "gateway", id, document),
            id,
            event_type: "dlp.pii_blocked",
            timestamp: "2026-06-08T20:15:30Z",
            timestamp_ns: 1_780_949_730_000_000_000,
            received_ns: 1_780_949_731_000_000_000,
            severity: Severity::High,
            source: "gateway",
            producer: "aisg",
            organization: "acme",
            project,
            document,
        }
    }

    #[test]
    fn events_come_back_as_they_went_in() {
        let events =
            [event("1", None, "{}"), event("", Some(""), r#"{"a":"ü"}"#), event("3", Some("p"), "{}")];
        let mut buffer = EventBuffer::new();
        events.iter().for_each(|event| buffer.push(event));
        let decoded = EventBuffer::from_bytes(buffer.as_bytes().to_vec()).unwrap();
        assert_eq!(decoded.iter().collect::<Vec<_>>(), events);
        assert_eq!(decoded, buffer);
    }

    #[test]
    fn every_cut_and_every_changed_length_is_noticed() {
        let mut buffer = EventBuffer::new();
        buffer.push(&event("1", Some("p"), r#"{"a":"ü"}"#));
        for end in 1..buffer.as_bytes().len() {
            EventBuffer::from_bytes(buffer.as_bytes()[..end].to_vec()).unwrap_err();
        }
        for length_at in [0, 38, 42, 66] {
            let mut bytes = buffer.as_bytes().to_vec();
            bytes[length_at] ^= 1;
            EventBuffer::from_bytes(bytes).unwrap_err();
        }
    }
}

//! One security event: validated, redacted, immutable.

use crate::{EventKey, Severity};

/// An event as it is stored and formatted. All text is borrowed: from the request that carried it, or from the block
/// that keeps it.
///
/// Invariant: an `Event` is made in two places only: by normalisation, which has validated and redacted the document,
/// and by decoding an [`EventBuffer`](crate::EventBuffer) that was made from such events. So nothing unredacted can
/// reach the disk or a formatter. The fields are private to keep it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    pub(crate) key: EventKey,
    pub(crate) id: &'a str,
    pub(crate) event_type: &'a str,
    pub(crate) timestamp: &'a str,
    pub(crate) timestamp_ns: u64,
    pub(crate) received_ns: u64,
    pub(crate) severity: Severity,
    pub(crate) source: &'a str,
    pub(crate) producer: &'a str,
    pub(crate) organization: &'a str,
    pub(crate) project: Option<&'a str>,
    pub(crate) document: &'a str,
}

impl<'a> Event<'a> {
    pub fn key(&self) -> EventKey {
        self.key
    }

    /// The producer's own identifier. It may repeat; empty when there is none.
    pub fn id(&self) -> &'a str {
        self.id
    }

    pub fn event_type(&self) -> &'a str {
        self.event_type
    }

    /// RFC 3339 in UTC with a trailing `Z`.
    pub fn timestamp(&self) -> &'a str {
        self.timestamp
    }

    /// `timestamp` in nanoseconds since 1970.
    pub fn timestamp_ns(&self) -> u64 {
        self.timestamp_ns
    }

    /// When the host accepted the event, in nanoseconds since 1970.
    pub fn received_ns(&self) -> u64 {
        self.received_ns
    }

    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The configured name of the source that the event came through.
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// The name of the profile that understood the event.
    pub fn producer(&self) -> &'a str {
        self.producer
    }

    pub fn organization(&self) -> &'a str {
        self.organization
    }

    pub fn project(&self) -> Option<&'a str> {
        self.project
    }

    /// The redacted event: one JSON object on one line.
    pub fn document(&self) -> &'a str {
        self.document
    }
}

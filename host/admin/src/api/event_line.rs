//! An event as it leaves the host for people and files.
//!
//! The document stands under `event`, exactly as it is stored, with what the host knows about it beside it. A line of
//! this shape is what `siemaphore send` takes back: it sends the document and leaves the rest.

use serde::Serialize;
use serde_json::value::RawValue;
use siemaphore_model::Event;

/// One line of an export.
#[derive(Debug, Serialize)]
pub(crate) struct EventLine<'a> {
    /// The first member of the line: it is what `send` knows the shape by.
    siemaphore: Envelope<'a>,
    event: &'a RawValue,
}

#[derive(Debug, Serialize)]
struct Envelope<'a> {
    event_key: String,
    event_id: &'a str,
    event_type: &'a str,
    timestamp: &'a str,
    received_ms: u64,
    severity: &'static str,
    organization: &'a str,
    source: &'a str,
    producer: &'a str,
    project: Option<&'a str>,
}

impl<'a> EventLine<'a> {
    pub(crate) fn of(event: &Event<'a>) -> EventLine<'a> {
        EventLine {
            siemaphore: Envelope {
                event_key: event.key().to_string(),
                event_id: event.id(),
                event_type: event.event_type(),
                timestamp: event.timestamp(),
                received_ms: event.received_ns() / 1_000_000,
                severity: event.severity().as_str(),
                organization: event.organization(),
                source: event.source(),
                producer: event.producer(),
                project: event.project(),
            },
            // Only a document that normalisation has parsed gets into an event.
            event: serde_json::from_str(event.document()).unwrap_or(RawValue::NULL),
        }
    }
}

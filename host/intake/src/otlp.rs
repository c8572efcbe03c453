//! OpenTelemetry log records over HTTP: `POST /v1/logs`, as protobuf or as JSON.
//!
//! Each log record becomes one event, a JSON document of its own: the record's fields, its attributes, and the resource
//! and scope that it came from ([`event`]). From there on it goes the way of every event.
//!
//! Small messages can stand for much: two bytes are a whole empty record, and one resource is repeated in each of its
//! records' events. So a request is never decoded as one tree: it is cut into records, which are decoded one after the
//! other, and what they become in total is bounded by what was reserved for it. Resources and scopes are counted as well:
//! an empty one is as small, and costs time without ever becoming an event.

mod answer;
mod event;
mod json;
mod protobuf;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use siemaphore_model::normalise::{EVENT_BYTES, Scratch};

pub(crate) use self::answer::{accepted, refused};

use crate::batch::Batch;
use crate::door::Door;
use crate::reason::Reason;

/// The longest encoding of one record, resource or scope. JSON writes a value at most about twice as long as an event
/// has it.
const PART_BYTES: usize = 2 * EVENT_BYTES;

/// How much larger than a request its events may be, beside a fixed part: a batch of small records that share a
/// resource stays well below.
const GROWTH: usize = 8;
const FIXED_BYTES: usize = 64 * 1024;

/// How a request is written, and so its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    pub(crate) fn of(headers: &HeaderMap) -> Option<Encoding> {
        let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-protobuf" | "application/protobuf" => Some(Encoding::Protobuf),
            "application/json" => Some(Encoding::Json),
            _ => None,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Json => "application/json",
        }
    }
}

/// Why a request cannot be taken at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LogsError {
    #[error("the body is not an OTLP logs request: {0}")]
    Unreadable(String),
    #[error("the request has more than {limit} log records, scopes or resources")]
    TooMany { limit: usize },
    #[error("the log records of the request become more than {limit} bytes of events")]
    TooLarge { limit: usize },
}

/// How much room the events of a request of so many bytes may need.
pub(crate) fn room(request_bytes: usize, limit: usize) -> usize {
    request_bytes.saturating_mul(GROWTH).saturating_add(FIXED_BYTES).min(limit)
}

/// At most `records` events, of `bytes` in total. As many resources, and as many scopes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

pub(crate) fn decode(
    body: &[u8],
    encoding: Encoding,
    door: &Door<'_>,
    limits: Limits,
) -> Result<Batch, LogsError> {
    let mut events = Events {
        batch: Batch::default(),
        index: 0,
        resources: 0,
        scopes: 0,
        document: String::new(),
        scratch: Scratch::default(),
        door,
        limits,
    };
    match encoding {
        Encoding::Protobuf => protobuf::decode(body, &mut events)?,
        Encoding::Json => json::decode(body, &mut events)?,
    }
    Ok(events.batch)
}

/// The events so far.
struct Events<'a> {
    batch: Batch,
    index: usize,
    resources: usize,
    scopes: usize,
    document: String,
    scratch: Scratch,
    door: &'a Door<'a>,
    limits: Limits,
}

impl Events<'_> {
    /// To be called before a resource is decoded.
    fn enter_resource(&mut self) -> Result<(), LogsError> {
        self.resources += 1;
        self.within_records(self.resources)
    }

    /// To be called before a scope is decoded.
    fn enter_scope(&mut self) -> Result<(), LogsError> {
        self.scopes += 1;
        self.within_records(self.scopes)
    }

    fn within_records(&self, count: usize) -> Result<(), LogsError> {
        let limit = self.limits.records;
        if count > limit { Err(LogsError::TooMany { limit }) } else { Ok(()) }
    }

    /// A record that could not be decoded harms only itself. `resource` and `scope` are JSON.
    fn add(
        &mut self,
        resource: &str,
        scope: &str,
        record: Result<LogRecord, String>,
    ) -> Result<(), LogsError> {
        self.within_records(self.index + 1)?;
        match record {
            Ok(record) => {
                event::write(record, resource, scope, &mut self.document);
                self.batch.add(self.index, &self.document, self.door, &mut self.scratch);
            }
            Err(reason) => self.batch.refuse(self.index, Reason::Unreadable, reason),
        }
        self.index += 1;
        if self.batch.events.as_bytes().len() > self.limits.bytes {
            return Err(LogsError::TooLarge { limit: self.limits.bytes });
        }
        Ok(())
    }
}

fn too_long(part: &str, bytes: usize) -> String {
    format!("the {part} has {bytes} bytes; the limit is {PART_BYTES}")
}

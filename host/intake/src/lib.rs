//! Where events come in: `POST /v1/events`, `POST /v1/logs` for OpenTelemetry, and `POST /v1/webhooks/SOURCE` for
//! requests that are signed.
//!
//! A request is authenticated, read, decompressed, cut into raw events, normalised and appended to the log, in this
//! order, and is answered when the log has its events on disk. It never waits for a SIEM. What the host fetches itself
//! comes in by a [`Feed`].
//!
//! Invariants:
//! - Nothing is read of a request without a valid token. Of a signed one the body has to be read first: only of a source
//!   that signs, when the head can be true, and little.
//! - Memory is bounded by [`IntakeConfig::concurrent_bytes`], whatever producers send, and no source can take all of it.
//! - A bad event harms only itself; a body is refused as a whole only when it cannot be told what its events are.
//! - The organisation of an event is that of the token, never one that the event names.
#![forbid(unsafe_code)]

mod answer;
mod authenticate;
mod batch;
mod body;
mod commit;
mod compression;
mod config;
mod disk_notice;
mod door;
mod event_log;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod items;
mod memory;
mod metrics;
mod otlp;
mod rate;
mod reason;
mod refusals;
mod request;
mod schema;
mod service;
mod signature;
mod source;
mod unknown_versions;

pub use config::IntakeConfig;
pub use event_log::{Append, AppendError, Appended, EventLog, Idempotency, LogFuture};
pub use metrics::{IntakeMetrics, SourceSnapshot};
pub use refusals::LastRefusal;
pub use schema::{SCHEMA_BYTES, Schema, SchemaError};
pub use service::feed::{Cut, Feed, FeedError, Mark, RawEvents, Taken};
pub use service::{Intake, router};
pub use signature::{SecretError, Signature};
pub use source::Source;

//! What intake needs of the store.

use std::future::Future;
use std::pin::Pin;

use bytesize::ByteSize;
use siemaphore_model::EventBuffer;

pub type LogFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AppendError>> + Send + 'a>>;

/// The durable log that events are appended to.
pub trait EventLog: Send + Sync + 'static {
    /// Done when the events are on disk.
    fn append(&self, append: Append) -> LogFuture<'_, Appended>;

    /// The answer that a request with this key and body was given before: so that a repetition costs no decoding.
    /// `append` looks again, for a repetition that arrives at the same time.
    fn repeated<'a>(
        &'a self,
        source: &'a str,
        key: &'a str,
        digest: &'a [u8; 32],
    ) -> LogFuture<'a, Option<String>>;
}

/// The events of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    pub organization: String,
    pub events: EventBuffer,
    pub idempotency: Option<Idempotency>,
}

/// A producer's promise that a request with this key is this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    pub source: String,
    pub key: String,
    /// SHA-256 of the decompressed body: a producer that tries again may compress anew.
    pub digest: [u8; 32],
    /// What a repetition is answered.
    pub answer: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    Stored,
    /// The same request was stored before; this one was not stored again.
    Repeated {
        answer: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error(
        "{} are free on the disk of the store; {} are kept in reserve",
        ByteSize(*free_bytes),
        ByteSize(*reserve_bytes)
    )]
    DiskReserve { free_bytes: u64, reserve_bytes: u64 },
    #[error("the idempotency key was used before with other events")]
    KeyReused,
    #[error("the store is closed")]
    Closed,
    #[error("the store failed: {0}")]
    Storage(String),
}

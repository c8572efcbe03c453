//! What an operator sees of a destination.

use serde::Serialize;

/// How a destination is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Events are on their way or have lately arrived.
    Active,
    /// Nothing to send.
    Idle,
    /// The last request failed; it is tried again.
    Failing,
    /// Every request would fail until somebody mends something. Nothing is given up; tried again slowly.
    Holding,
}

/// A failure and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub at_ms: u64,
    pub reason: String,
    pub hint: String,
}

/// A snapshot of one pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub state: State,
    pub last_success_ms: Option<u64>,
    pub last_error: Option<Failure>,
    /// Failed requests since the last success.
    pub failures: u32,
    pub next_attempt_ms: Option<u64>,
    /// Since the host started.
    pub delivered_events: u64,
    pub delivered_bytes: u64,
    pub requests: u64,
    pub failed_requests: u64,
    /// Events that failed alone and are not judged yet.
    pub suspects: usize,
    pub plugin_version: Option<String>,
    pub plugin_digest: Option<String>,
    /// The granted request line.
    pub request: Option<String>,
}

impl Status {
    pub(crate) fn new() -> Status {
        Status {
            state: State::Idle,
            last_success_ms: None,
            last_error: None,
            failures: 0,
            next_attempt_ms: None,
            delivered_events: 0,
            delivered_bytes: 0,
            requests: 0,
            failed_requests: 0,
            suspects: 0,
            plugin_version: None,
            plugin_digest: None,
            request: None,
        }
    }
}

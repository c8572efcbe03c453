//! Answers of a SIEM as delivery hands them over to the sandbox.

use siemaphore_model::formatter::{Phase, Response};

/// To a first request with ten records.
pub(crate) fn response(status: u16, body: impl Into<Vec<u8>>) -> Response {
    Response {
        phase: Phase::First,
        state: Vec::new(),
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.into(),
        truncated: false,
        records: 10,
        body_bytes: 1_000,
    }
}

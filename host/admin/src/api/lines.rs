//! Answers of any length: JSON Lines, made as they are read.
//!
//! A step makes the next lines only when the client has taken the ones before, and holds no snapshot of the store in
//! between: a client that stops reading costs one step's bytes and nothing else.

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use siemaphore_store::StoreError;

/// How many lines an answer will have, for a progress bar.
const EXPECTED: HeaderName = HeaderName::from_static("siemaphore-lines");

/// What lines come from.
pub(crate) trait Lines: Send + Sized + 'static {
    /// Appends the next lines to `out`; false when there is nothing more. An error breaks the answer off, so that
    /// nobody takes a part for the whole.
    fn next(&mut self, out: &mut Vec<u8>) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

pub(crate) fn answer(lines: impl Lines, expected: u64) -> Response {
    let headers =
        [(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson")), (EXPECTED, expected.into())];
    (headers, Body::from_stream(stream::try_unfold(lines, step))).into_response()
}

async fn step<L: Lines>(mut lines: L) -> Result<Option<(Bytes, L)>, StoreError> {
    let mut out = Vec::new();
    while out.is_empty() {
        // The client only sees that the answer broke off.
        let next = lines.next(&mut out).await;
        if !next.inspect_err(|error| tracing::error!(%error, "an answer to an operator broke off"))? {
            return Ok(None);
        }
    }
    Ok(Some((Bytes::from(out), lines)))
}

pub(crate) fn push(out: &mut Vec<u8>, line: &impl Serialize) {
    // Texts and numbers always have a JSON form, and memory takes what is written.
    serde_json::to_writer(&mut *out, line).ok();
    out.push(b'\n');
}

//! An answer that is read as it comes: JSON Lines of any length.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use axum::body::Body;
use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt;

use crate::control::client::Connection;

/// How long the host may take for the next piece.
const PATIENCE: Duration = Duration::from_secs(120);
/// A line is an event with its attempts at most.
const LONGEST_LINE_BYTES: usize = 4 * 1024 * 1024;

/// An answer under way. Dropping it hangs up.
pub(crate) struct Answer {
    body: Body,
    expected_lines: Option<u64>,
    /// What has arrived of the next lines.
    rest: Vec<u8>,
    _connection: Option<Connection>,
}

impl Answer {
    pub(crate) fn new(response: Response<Body>, connection: Option<Connection>) -> Answer {
        let expected = response.headers().get("siemaphore-lines").and_then(|value| value.to_str().ok());
        let expected_lines = expected.and_then(|value| value.parse().ok());
        Answer { body: response.into_body(), expected_lines, rest: Vec::new(), _connection: connection }
    }

    /// How many lines the host expects to send.
    pub(crate) fn expected_lines(&self) -> Option<u64> {
        self.expected_lines
    }

    /// The next piece as it arrives; `None` at the end of an answer that is whole.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
            let frame = frame.map_err(|_| anyhow!("the host sent nothing for {PATIENCE:?}"))?;
            let Some(frame) = frame else { return Ok(None) };
            // Trailers are not used.
            let frame = frame.map_err(|error| anyhow!(error)).context("the answer broke off")?;
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some(bytes));
            }
        }
    }

    /// The next line without its end.
    pub(crate) async fn line(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.rest.drain(..=end).collect();
                line.pop();
                return Ok(Some(line));
            }
            if self.rest.len() > LONGEST_LINE_BYTES {
                bail!("a line of the answer is longer than {LONGEST_LINE_BYTES} bytes");
            }
            match self.piece().await? {
                Some(bytes) => self.rest.extend_from_slice(&bytes),
                None if self.rest.is_empty() => return Ok(None),
                None => return Ok(Some(std::mem::take(&mut self.rest))),
            }
        }
    }
}

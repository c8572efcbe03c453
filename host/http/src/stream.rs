//! An answer without an end: read as it comes, for as long as something comes.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use reqwest::Response;
use tokio::time::timeout;

use crate::SendError;

/// The head of an answer, and the body that follows. Dropping it closes the connection.
pub struct Stream {
    pub status: u16,
    pub headers: HeaderMap,
    response: Response,
    idle_timeout: Duration,
    host: String,
}

impl Stream {
    pub(crate) fn new(mut response: Response, idle_timeout: Duration, host: String) -> Stream {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        Stream { status, headers, response, idle_timeout, host }
    }

    /// The next piece of the body, cut anywhere; None at its end. A server that sends nothing for the idle time is an
    /// error. Giving the future up loses nothing.
    pub async fn next(&mut self) -> Result<Option<Bytes>, SendError> {
        let Stream { response, idle_timeout, host, .. } = self;
        match timeout(*idle_timeout, response.chunk()).await {
            Ok(read) => read.map_err(|error| SendError::from_body(&error, host)),
            Err(_elapsed) => Err(SendError::Silent { host: host.clone(), after: *idle_timeout }),
        }
    }

    /// The same without waiting: None while nothing is here.
    pub fn ready(&mut self) -> Option<Result<Option<Bytes>, SendError>> {
        let reading = pin!(self.response.chunk());
        match reading.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => None,
            Poll::Ready(read) => Some(read.map_err(|error| SendError::from_body(&error, &self.host))),
        }
    }
}

//! What a SIEM's rules make of one request, before it becomes HTTP.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::request::{BodyLimits, Request};

/// One SIEM's rules. The server around them knows nothing about SIEMs.
pub(crate) trait Rules: Send + Sync {
    fn limits(&self) -> BodyLimits;

    fn answer(&self, request: &Request) -> Answer;

    /// What a request to this path is for.
    fn kind(&self, _path: &str) -> RequestKind {
        RequestKind::Ingest
    }
}

/// Each kind of request has a fault script of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// Brings records, or asks how the SIEM is.
    Ingest,
    /// Asks what became of records that were brought before.
    Poll,
    /// Asks for an access token.
    Token,
}

/// The answer to one request, and what it left behind.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) records: Vec<Record>,
    /// What the SIEM spoils without saying so: the item's place in the request, and how.
    pub(crate) violations: Vec<(usize, String)>,
    /// Why the request, or the rest of it, was refused; for whoever reads the log.
    pub(crate) refusal: Option<String>,
}

/// One record that the SIEM took.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) value: Value,
    pub(crate) raw: String,
}

impl Answer {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: String::new(),
            records: Vec::new(),
            violations: Vec::new(),
            refusal: None,
        }
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        let mut answer = Self::empty(status);
        answer.body = body.to_string();
        answer.header(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
        answer
    }

    pub(crate) fn refused(mut self, reason: impl Into<String>) -> Self {
        self.refusal = Some(reason.into());
        self
    }

    pub(crate) fn header(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }
}

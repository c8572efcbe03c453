//! A collector behind HTTP that parses what it gets: CEF, LEEF or OCSF.
//!
//! Real collectors take any line with 200 and misread it later. This one answers a line that a parser would misread
//! with 400 and says why, so that a test sees it; what is read rightly but shown wrongly is a violation.

mod cef;
mod leef;
mod ocsf;

use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem};

const MAX_BODY_BYTES: usize = 1_000_000;

/// What a collector reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectorFormat {
    Cef,
    Leef,
    Ocsf,
}

impl Siem {
    /// Takes events at `path` with this bearer token, or from anybody.
    pub fn collector(path: &str, token: Option<&str>, format: CollectorFormat) -> Siem {
        let (path, token) = (path.to_owned(), token.map(str::to_owned));
        Siem::new(move |config| {
            Playing::by(Collector {
                path: path.clone(),
                token: token.clone(),
                format,
                max_body_bytes: config.max_body_bytes.unwrap_or(MAX_BODY_BYTES),
            })
        })
    }
}

struct Collector {
    path: String,
    token: Option<String>,
    format: CollectorFormat,
    max_body_bytes: usize,
}

/// An event as the collector read it, and what it shows wrongly.
struct Parsed {
    record: Record,
    violations: Vec<String>,
}

struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Rules for Collector {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[Encoding::Gzip], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.take(request).unwrap_or_else(Refusal::answer)
    }
}

impl Collector {
    fn take(&self, request: &Request) -> Result<Answer, Refusal> {
        if request.path != self.path {
            return Err(refuse(StatusCode::NOT_FOUND, format!("no such path: {}", request.path)));
        }
        if request.method != Method::POST {
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, format!("method {}", request.method)));
        }
        let given = request.header(header::AUTHORIZATION);
        match &self.token {
            Some(token) if given != Some(&format!("Bearer {token}")) => {
                return Err(refuse(StatusCode::UNAUTHORIZED, "the token is missing or wrong"));
            }
            _ => {}
        }
        let body = request.body.as_ref().map_err(unreadable)?;
        let text = std::str::from_utf8(body).map_err(|error| bad(error.to_string()))?;
        let mut answer = Answer::empty(StatusCode::OK);
        for (place, parsed) in self.events(request, text)?.into_iter().enumerate() {
            answer.records.push(parsed.record);
            answer.violations.extend(parsed.violations.into_iter().map(|reason| (place, reason)));
        }
        Ok(answer)
    }

    fn events(&self, request: &Request, text: &str) -> Result<Vec<Parsed>, Refusal> {
        let content_type = request.header(header::CONTENT_TYPE).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let parse = match self.format {
            CollectorFormat::Cef => cef::parse,
            CollectorFormat::Leef => leef::parse,
            CollectorFormat::Ocsf => ocsf::parse,
        };
        let texts = match (self.format, media_type) {
            (CollectorFormat::Ocsf, "application/json") => {
                ocsf::array(text).map_err(|error| bad(error.to_string()))?
            }
            (CollectorFormat::Ocsf, "application/x-ndjson")
            | (CollectorFormat::Cef | CollectorFormat::Leef, "text/plain") => lines(text)?,
            _ => {
                return Err(refuse(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    format!("content type {content_type:?}"),
                ));
            }
        };
        let parsed = texts
            .into_iter()
            .enumerate()
            .map(|(place, text)| parse(text).map_err(|reason| bad(format!("event {place}: {reason}"))));
        parsed.collect()
    }
}

/// One event without an end, or events that all end with a newline.
fn lines(text: &str) -> Result<Vec<&str>, Refusal> {
    match text.strip_suffix('\n') {
        Some(lines) => Ok(lines.split('\n').collect()),
        None if text.contains('\n') => Err(bad("the last line does not end")),
        None => Ok(vec![text]),
    }
}

fn unreadable(error: &BodyError) -> Refusal {
    let status = match error {
        BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::UnsupportedEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        BodyError::Corrupt(_) => StatusCode::BAD_REQUEST,
    };
    refuse(status, error.to_string())
}

fn bad(reason: impl Into<String>) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, reason)
}

fn refuse(status: StatusCode, reason: impl Into<String>) -> Refusal {
    Refusal { status, reason: reason.into() }
}

impl Refusal {
    fn answer(self) -> Answer {
        let mut answer = Answer::json(self.status, &json!({ "error": self.reason }));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            answer.header(header::ALLOW, HeaderValue::from_static("POST"));
        }
        answer.refused(self.reason)
    }
}

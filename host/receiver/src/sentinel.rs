//! Azure Monitor's Logs Ingestion API, the way into Microsoft Sentinel.
//!
//! It says 204 as soon as the body is an array of objects for a known rule and stream. Columns that cannot exist,
//! fields over their length and times out of the window are lost or changed later, so they are violations.

use std::sync::Arc;

use http::header::{ALLOW, AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::access_tokens::{AccessTokens, BearerError};
use crate::answer::{Answer, Record, RequestKind, Rules};
use crate::entra::TokenEndpoint;
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem, Tokens};
use crate::strict_json::{self, Parsed, repetitions};
use crate::timestamp::{HOUR_MS, iso_ms, now_ms};

const API_VERSION: &str = "2023-01-01";

/// "1 MB", compressed and not. The decimal reading is the one that is safe everywhere.
const MAX_BODY_BYTES: usize = 1_000_000;

/// "64 KB" of one field; the rest is cut off.
const MAX_FIELD_BYTES: usize = 64_000;

const MAX_COLUMN_CHARS: usize = 45;

/// Columns that belong to the platform: a value sent for them is lost.
const RESERVED_COLUMNS: &[&str] =
    &["_ResourceId", "id", "_SubscriptionId", "TenantId", "Type", "UniqueId", "Title"];

/// Outside of this window the time is replaced by the time of arrival.
const OLDEST_MS: i64 = 48 * HOUR_MS;
const NEWEST_MS: i64 = 24 * HOUR_MS;

const ERROR_CODE_HEADER: HeaderName = HeaderName::from_static("x-ms-error-code");

/// What the Logs Ingestion API takes, and the application that may send it.
#[derive(Clone, Debug)]
pub struct SentinelWorkspace {
    pub dcr_immutable_id: String,
    pub stream: String,
    pub tenant: String,
    pub client_id: String,
    pub client_secret: String,
}

impl Siem {
    /// The Logs Ingestion API and the Entra token endpoint that it believes, on one port.
    pub fn sentinel(workspace: SentinelWorkspace) -> Siem {
        Siem::new(move |config| {
            let SentinelWorkspace { dcr_immutable_id, stream, tenant, client_id, client_secret } =
                workspace.clone();
            let issued = Arc::new(AccessTokens::lasting(config.token_lifetime));
            let endpoint = TokenEndpoint::new(tenant, client_id, client_secret, Arc::clone(&issued));
            let tokens = Tokens { path: endpoint.path(), issued: Arc::clone(&issued) };
            let max_body_bytes = config.max_body_bytes.unwrap_or(MAX_BODY_BYTES);
            let ingestion = LogsIngestion { dcr_immutable_id, stream, endpoint, issued, max_body_bytes };
            Playing { tokens: Some(tokens), ..Playing::by(ingestion) }
        })
    }
}

struct LogsIngestion {
    dcr_immutable_id: String,
    stream: String,
    endpoint: TokenEndpoint,
    issued: Arc<AccessTokens>,
    max_body_bytes: usize,
}

struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl LogsIngestion {
    fn ingest(&self, request: &Request) -> Result<Answer, Refusal> {
        let (rule, stream) =
            target(&request.path).ok_or_else(|| refuse(StatusCode::NOT_FOUND, "NotFound", "no such path"))?;
        if request.method != Method::POST {
            let message = format!("method {}", request.method);
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message));
        }
        check_api_version(request)?;
        self.authorize(request)?;
        if rule != self.dcr_immutable_id {
            let message = format!("no data collection rule has the immutable id '{rule}'");
            return Err(refuse(StatusCode::NOT_FOUND, "NotFound", message));
        }
        if stream != self.stream {
            let message = format!("the data collection rule has no stream '{stream}'");
            return Err(refuse(StatusCode::NOT_FOUND, "InvalidStream", message));
        }
        take(request.body.as_ref().map_err(unreadable)?)
    }

    fn authorize(&self, request: &Request) -> Result<(), Refusal> {
        let bearer = request.header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let error = match bearer {
            None => BearerError::Missing,
            Some(token) => match self.issued.check(token) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
        };
        let code = match error {
            BearerError::Missing => "MissingToken",
            BearerError::Unknown => "InvalidToken",
            BearerError::Expired => "ExpiredToken",
        };
        Err(refuse(StatusCode::UNAUTHORIZED, code, error.to_string()))
    }
}

impl Rules for LogsIngestion {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[Encoding::Gzip], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        if self.kind(&request.path) == RequestKind::Token {
            return self.endpoint.answer(request);
        }
        self.ingest(request).unwrap_or_else(Refusal::answer)
    }

    fn kind(&self, path: &str) -> RequestKind {
        if path.ends_with(TokenEndpoint::PATH_END) { RequestKind::Token } else { RequestKind::Ingest }
    }
}

/// The rule's immutable id and the stream in the path.
fn target(path: &str) -> Option<(&str, &str)> {
    let (rule, stream) = path.strip_prefix("/dataCollectionRules/")?.split_once("/streams/")?;
    let is_segment = |text: &str| !text.is_empty() && !text.contains('/');
    (is_segment(rule) && is_segment(stream)).then_some((rule, stream))
}

fn check_api_version(request: &Request) -> Result<(), Refusal> {
    match request.query_value("api-version").as_deref() {
        Some(API_VERSION) => Ok(()),
        Some(other) => {
            let message = format!("api-version '{other}' is not served; use {API_VERSION}");
            Err(refuse(StatusCode::BAD_REQUEST, "UnsupportedApiVersion", message))
        }
        None => {
            let message = "the query has no api-version";
            Err(refuse(StatusCode::BAD_REQUEST, "MissingApiVersionParameter", message))
        }
    }
}

/// Takes an array of objects, or nothing.
fn take(body: &[u8]) -> Result<Answer, Refusal> {
    let items: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|error| invalid(format!("the body is not a JSON array: {error}")))?;
    let mut answer = Answer::empty(StatusCode::NO_CONTENT);
    for (place, raw) in items.into_iter().enumerate() {
        let raw = raw.get();
        let Parsed { value, repeated_keys } =
            strict_json::parse(raw).map_err(|error| invalid(format!("record {place}: {error}")))?;
        let Some(record) = value.as_object() else {
            return Err(invalid(format!("record {place} is not an object")));
        };
        let mut reasons = spoiled(record);
        reasons.extend(repetitions(&repeated_keys));
        answer.violations.extend(reasons.into_iter().map(|reason| (place, reason)));
        answer.records.push(Record { value, raw: raw.to_owned() });
    }
    Ok(answer)
}

fn spoiled(record: &Map<String, Value>) -> Vec<String> {
    let mut reasons: Vec<String> = record
        .keys()
        .filter(|name| !is_column(name))
        .map(|name| format!("'{name}' cannot be a column: its value is lost"))
        .collect();
    for (name, value) in record {
        let length = match value {
            Value::String(text) => text.len(),
            value => value.to_string().len(),
        };
        if length > MAX_FIELD_BYTES {
            reasons.push(format!("{length} bytes in '{name}' are truncated to {MAX_FIELD_BYTES}"));
        }
    }
    reasons.extend(misread_time(record.get("TimeGenerated")));
    reasons
}

fn is_column(name: &str) -> bool {
    name.len() <= MAX_COLUMN_CHARS
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
        && !RESERVED_COLUMNS.contains(&name)
}

fn misread_time(time: Option<&Value>) -> Option<String> {
    let Some(time) = time else { return Some("no TimeGenerated".to_owned()) };
    let Some(time_ms) = time.as_str().and_then(iso_ms) else {
        return Some(format!("TimeGenerated {time} is no ISO 8601 time"));
    };
    let age = now_ms().saturating_sub(time_ms);
    let in_window = (-NEWEST_MS..=OLDEST_MS).contains(&age);
    (!in_window).then(|| format!("TimeGenerated {time} is replaced by the time of arrival"))
}

fn unreadable(error: &BodyError) -> Refusal {
    let (status, code) = match error {
        BodyError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "ContentLengthLimitExceeded"),
        BodyError::UnsupportedEncoding(_) => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedContentEncoding")
        }
        BodyError::Corrupt(_) => (StatusCode::BAD_REQUEST, "InvalidPayload"),
    };
    refuse(status, code, error.to_string())
}

fn invalid(message: String) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, "InvalidPayload", message)
}

fn refuse(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status, code, message: message.into() }
}

impl Refusal {
    fn answer(self) -> Answer {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        let mut answer = Answer::json(self.status, &body).refused(format!("{}: {}", self.code, self.message));
        answer.header(ERROR_CODE_HEADER, HeaderValue::from_static(self.code));
        match self.status {
            StatusCode::UNAUTHORIZED => answer.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            StatusCode::METHOD_NOT_ALLOWED => answer.header(ALLOW, HeaderValue::from_static("POST")),
            _ => {}
        }
        answer
    }
}

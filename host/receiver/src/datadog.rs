//! Datadog's Logs API v2.
//!
//! Datadog says 202 to almost anything. What it then truncates, drops or shows wrongly is a violation here. Where the
//! real status is not documented (more than 1000 items, an item that is no object) the answer is 400.

use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem};
use crate::strict_json::{self, Parsed, repetitions};
use crate::timestamp::{HOUR_MS, iso_ms, now_ms};

const PATH: &str = "/api/v2/logs";
const KEY_HEADER: &str = "dd-api-key";

const MAX_BODY_BYTES: usize = 5_000_000;
const MAX_ITEMS: usize = 1_000;
const MAX_ITEM_BYTES: usize = 1_000_000;

/// Older logs are dropped without a word.
const REPLAY_WINDOW_MS: i64 = 18 * HOUR_MS;

/// Where Datadog looks for the time, the first one that is there.
const TIME_KEYS: &[&str] =
    &["@timestamp", "timestamp", "_timestamp", "Timestamp", "eventTime", "date", "published_date"];

/// Where it looks for the status.
const STATUS_KEYS: &[&str] = &["status", "severity", "level"];

/// How the words begin that it knows; every other word shows as info.
const STATUS_PREFIXES: &[&str] = &["emerg", "f", "a", "c", "err", "w", "n", "i", "d", "t", "v", "o", "s"];

impl Siem {
    pub fn datadog(api_key: &str) -> Siem {
        let api_key = api_key.to_owned();
        Siem::new(move |config| Playing::by(DatadogLogs::new(api_key.clone(), config.max_body_bytes)))
    }
}

struct DatadogLogs {
    api_key: String,
    max_body_bytes: usize,
}

struct Refusal {
    status: StatusCode,
    detail: String,
}

impl DatadogLogs {
    fn new(api_key: String, max_body_bytes: Option<usize>) -> Self {
        Self { api_key, max_body_bytes: max_body_bytes.unwrap_or(MAX_BODY_BYTES) }
    }

    fn logs(&self, request: &Request) -> Result<Answer, Refusal> {
        if request.path != PATH {
            return Err(refuse(StatusCode::NOT_FOUND, "no such path"));
        }
        if request.method != Method::POST {
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, format!("method {}", request.method)));
        }
        match request.headers.get(KEY_HEADER) {
            None => return Err(refuse(StatusCode::UNAUTHORIZED, "no DD-API-KEY header")),
            Some(key) if key != self.api_key.as_str() => {
                return Err(refuse(StatusCode::FORBIDDEN, "the API key is not known here"));
            }
            Some(_) => {}
        }
        take(request.body.as_ref().map_err(unreadable)?)
    }
}

impl Rules for DatadogLogs {
    fn limits(&self) -> BodyLimits {
        BodyLimits {
            // Only gzip and deflate are documented; zstd is what its own agents send.
            encodings: &[Encoding::Gzip, Encoding::Deflate, Encoding::Zstd],
            max_bytes: self.max_body_bytes,
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.logs(request).unwrap_or_else(Refusal::answer)
    }
}

/// Takes one log or an array of them; nothing of a body that is malformed anywhere.
fn take(body: &[u8]) -> Result<Answer, Refusal> {
    let items = items(body)?;
    if items.len() > MAX_ITEMS {
        return Err(bad(format!("{} items are over {MAX_ITEMS}", items.len())));
    }
    let mut answer = Answer::json(StatusCode::ACCEPTED, &json!({}));
    for (place, raw) in items.into_iter().enumerate() {
        let raw = raw.get();
        if raw.len() > MAX_ITEM_BYTES {
            answer.records.push(truncated(raw));
            answer.violations.push((place, format!("{} bytes are truncated to {MAX_ITEM_BYTES}", raw.len())));
            continue;
        }
        let Parsed { value, repeated_keys } =
            strict_json::parse(raw).map_err(|error| bad(format!("item {place}: {error}")))?;
        let Some(item) = value.as_object() else {
            return Err(bad(format!("item {place} is not an object")));
        };
        let mut reasons = spoiled(item);
        reasons.extend(repetitions(&repeated_keys));
        let too_old = too_old(item);
        if too_old.is_none() {
            answer.records.push(Record { value, raw: raw.to_owned() });
        }
        answer.violations.extend(too_old.into_iter().chain(reasons).map(|reason| (place, reason)));
    }
    Ok(answer)
}

fn items(body: &[u8]) -> Result<Vec<&RawValue>, Refusal> {
    let parsed = match body.trim_ascii().first() {
        Some(b'[') => serde_json::from_slice(body),
        Some(b'{') => serde_json::from_slice(body).map(|item| vec![item]),
        _ => return Err(bad("the body is no JSON array or object")),
    };
    parsed.map_err(|error| bad(format!("the body is not JSON: {error}")))
}

/// What is stored of a log that is too large: text that no longer parses.
fn truncated(raw: &str) -> Record {
    let kept = raw.get(..raw.floor_char_boundary(MAX_ITEM_BYTES)).unwrap_or_default().to_owned();
    Record { value: Value::String(kept.clone()), raw: kept }
}

fn spoiled(item: &Map<String, Value>) -> Vec<String> {
    let mut reasons = Vec::new();
    if item.get("ddtags").is_some_and(|tags| !tags.is_string()) {
        reasons.push("'ddtags' is not a string: the tags are lost".to_owned());
    }
    if item.get("message").and_then(Value::as_str).is_none_or(str::is_empty) {
        reasons.push("no 'message': there is nothing to search in".to_owned());
    }
    if let Some((key, time)) = first(item, TIME_KEYS).filter(|(_, time)| time_ms(time).is_none()) {
        reasons.push(format!("{key} {time} is no ISO 8601 time and no milliseconds: the time is lost"));
    }
    if let Some((key, status)) = first(item, STATUS_KEYS).filter(|(_, status)| !is_known_status(status)) {
        reasons.push(format!("{key} {status} shows as info"));
    }
    reasons
}

fn too_old(item: &Map<String, Value>) -> Option<String> {
    let (key, time) = first(item, TIME_KEYS)?;
    let age = now_ms().saturating_sub(time_ms(time)?);
    (age > REPLAY_WINDOW_MS).then(|| format!("{key} {time} is older than 18 hours: dropped"))
}

fn first<'a>(item: &'a Map<String, Value>, keys: &[&'static str]) -> Option<(&'static str, &'a Value)> {
    keys.iter().find_map(|key| item.get(*key).map(|value| (*key, value)))
}

fn time_ms(time: &Value) -> Option<i64> {
    match time {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => iso_ms(text),
        _ => None,
    }
}

fn is_known_status(status: &Value) -> bool {
    match status {
        Value::Number(number) => number.as_u64().is_some_and(|level| level <= 7),
        Value::String(word) => {
            let word = word.to_ascii_lowercase();
            let is_level = matches!(word.as_bytes(), [b'0'..=b'7']);
            is_level || STATUS_PREFIXES.iter().any(|prefix| word.starts_with(prefix))
        }
        _ => false,
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

fn bad(detail: impl Into<String>) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, detail)
}

fn refuse(status: StatusCode, detail: impl Into<String>) -> Refusal {
    Refusal { status, detail: detail.into() }
}

impl Refusal {
    fn answer(self) -> Answer {
        let body = json!({ "errors": [{
            "status": self.status.as_str(),
            "title": self.status.canonical_reason().unwrap_or_default(),
            "detail": self.detail,
        }] });
        let mut answer = Answer::json(self.status, &body).refused(self.detail);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            answer.header(ALLOW, HeaderValue::from_static("POST"));
        }
        answer
    }
}

//! CrowdStrike Falcon LogScale's and Next-Gen SIEM's HEC-compatible endpoint.
//!
//! It takes what looks like an event and spoils the rest silently: a large event is cut to its text, a time in
//! milliseconds lands in a year far away, an event without a time gets that of its arrival. Those are violations. Bodies
//! of refusals are documented for 401 only; the others have Splunk's form here.

use http::header::AUTHORIZATION;
use http::{Method, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem};
use crate::strict_json::{self, Parsed, repetitions};

const PATHS: &[&str] = &["/services/collector", "/api/v1/ingest/hec"];

/// `MaxIngestRequestSize` of a self-hosted cluster.
const MAX_BODY_BYTES: usize = 33_554_432;
const MAX_EVENT_BYTES: usize = 1_000_000;
/// Of a self-hosted cluster; further fields are dropped in the order of their names.
const MAX_FIELDS: usize = 1_000;

/// Seconds in the year 2100. What is later was meant as something else.
const LATEST_SECONDS: f64 = 4_102_444_800.0;

const KEYS: &[&str] = &["time", "timezone", "index", "sourcetype", "source", "host", "event", "fields"];

impl Siem {
    /// With the ingest token of a repository, or a connector's API key.
    pub fn logscale(ingest_token: &str, repository: &str) -> Siem {
        let (token, repository) = (ingest_token.to_owned(), repository.to_owned());
        Siem::new(move |config| {
            Playing::by(LogScale {
                token: token.clone(),
                repository: repository.clone(),
                max_body_bytes: config.max_body_bytes.unwrap_or(MAX_BODY_BYTES),
            })
        })
    }
}

struct LogScale {
    token: String,
    repository: String,
    max_body_bytes: usize,
}

struct Refusal {
    status: StatusCode,
    detail: String,
}

impl Rules for LogScale {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[Encoding::Gzip, Encoding::Deflate], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.take(request).unwrap_or_else(|refusal| {
            let body = json!({ "text": refusal.detail, "code": refusal.status.as_u16() });
            Answer::json(refusal.status, &body).refused(refusal.detail)
        })
    }
}

impl LogScale {
    /// Takes all events or none.
    fn take(&self, request: &Request) -> Result<Answer, Refusal> {
        if !PATHS.contains(&request.path.as_str()) {
            return Err(refuse(StatusCode::NOT_FOUND, "no such path"));
        }
        if request.method != Method::POST {
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, format!("method {}", request.method)));
        }
        let shown = request.header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        if shown != Some(self.token.as_str()) {
            return Err(refuse(StatusCode::UNAUTHORIZED, "The supplied authentication is invalid"));
        }
        let body = request.body.as_ref().map_err(unreadable)?;
        let mut answer = Answer::json(StatusCode::OK, &json!({ "text": "Success", "code": 0 }));
        for (place, raw) in objects(body)?.into_iter().enumerate() {
            let Parsed { value, repeated_keys } =
                strict_json::parse(raw).map_err(|error| bad(format!("event {place}: {error}")))?;
            let event = value.as_object().ok_or_else(|| bad(format!("event {place} is not an object")))?;
            self.check(event).map_err(|reason| bad(format!("event {place}: {reason}")))?;
            let spoiled = spoiled(event, raw).into_iter().chain(repetitions(&repeated_keys));
            answer.violations.extend(spoiled.map(|reason| (place, reason)));
            answer.records.push(Record { value, raw: raw.to_owned() });
        }
        if answer.records.is_empty() {
            return Err(bad("no events"));
        }
        Ok(answer)
    }

    fn check(&self, event: &Map<String, Value>) -> Result<(), String> {
        match event.get("event") {
            None => return Err("no 'event'".to_owned()),
            Some(Value::String(_) | Value::Object(_)) => {}
            Some(other) => return Err(format!("'event' is no text and no object: {other}")),
        }
        if let Some(index) = event.get("index").filter(|index| *index != self.repository.as_str()) {
            return Err(format!("index {index} is not the token's repository"));
        }
        Ok(())
    }
}

/// Objects with white space between them.
fn objects(body: &[u8]) -> Result<Vec<&str>, Refusal> {
    let mut objects = Vec::new();
    let mut stacked = serde_json::Deserializer::from_slice(body).into_iter::<&RawValue>();
    while let Some(raw) = stacked.next() {
        objects.push(raw.map_err(|error| bad(format!("event {}: {error}", objects.len())))?.get());
        let next = body.get(stacked.byte_offset());
        if next.is_some_and(|next| !next.is_ascii_whitespace()) {
            return Err(bad(format!("no white space after event {}", objects.len() - 1)));
        }
    }
    Ok(objects)
}

fn spoiled(event: &Map<String, Value>, raw: &str) -> Vec<String> {
    let mut reasons = Vec::new();
    if raw.len() > MAX_EVENT_BYTES {
        reasons.push(format!("{} bytes are cut to the text and the time", raw.len()));
    }
    match event.get("time").map(seconds) {
        None => reasons.push("no 'time': the time of arrival is taken".to_owned()),
        Some(None) => reasons.push("'time' is no number of seconds: the time is lost".to_owned()),
        Some(Some(seconds)) if seconds > LATEST_SECONDS => {
            reasons.push(format!("'time' {seconds} is not in seconds: it lands far in the future"));
        }
        Some(Some(_)) => {}
    }
    let fields = event.get("event").map_or(0, leaves);
    if fields > MAX_FIELDS {
        reasons.push(format!("{fields} fields: only {MAX_FIELDS} are kept"));
    }
    let unknown = event.keys().filter(|key| !KEYS.contains(&key.as_str()));
    reasons.extend(unknown.map(|key| format!("'{key}' is no key of HEC: it is lost")));
    reasons
}

fn seconds(time: &Value) -> Option<f64> {
    match time {
        Value::String(text) => text.parse().ok(),
        time => time.as_f64(),
    }
}

/// How many fields a parser for JSON makes of a value.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(leaves).sum(),
        Value::Array(elements) => elements.iter().map(leaves).sum(),
        _ => 1,
    }
}

fn unreadable(error: &BodyError) -> Refusal {
    let status = match error {
        BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::UnsupportedEncoding(_) | BodyError::Corrupt(_) => StatusCode::BAD_REQUEST,
    };
    refuse(status, error.to_string())
}

fn bad(detail: impl Into<String>) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, detail)
}

fn refuse(status: StatusCode, detail: impl Into<String>) -> Refusal {
    Refusal { status, detail: detail.into() }
}

//! New Relic's Log API.
//!
//! New Relic says 202 before it looks at the payload. What it then refuses, drops, cuts or dates anew is a violation
//! here; it tells of it in `NrIntegrationError` only. Statuses for requests that its page does not name are those of
//! its Metric API.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem};
use crate::strict_json::{self, Parsed, repetitions};
use crate::timestamp::{HOUR_MS, now_ms};

const PATH: &str = "/log/v1";
const KEY_HEADER: &str = "api-key";

const MAX_BODY_BYTES: usize = 1_000_000;
const MAX_ATTRIBUTES: usize = 255;
const MAX_NAME_CHARACTERS: usize = 255;
const MAX_VALUE_BYTES: usize = 128_000;

/// Older logs may be dropped.
const REPLAY_WINDOW_MS: i64 = 48 * HOUR_MS;

/// A smaller number is a time in seconds.
const FIRST_MS: i64 = 100_000_000_000;

const RESERVED: &[&str] = &["accountId", "eventType", "entity.guid", "entity.name", "entity.type"];

impl Siem {
    pub fn newrelic(license_key: &str) -> Siem {
        let license_key = license_key.to_owned();
        Siem::new(move |config| {
            let max_body_bytes = config.max_body_bytes.unwrap_or(MAX_BODY_BYTES);
            Playing::by(LogApi { license_key: license_key.clone(), max_body_bytes })
        })
    }
}

struct LogApi {
    license_key: String,
    max_body_bytes: usize,
}

struct Refusal {
    status: StatusCode,
    reason: String,
}

/// One block of a payload: what its logs have in common, and the logs.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(default)]
    common: Common,
    #[serde(borrow)]
    logs: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Common {
    #[serde(default)]
    timestamp: Option<i64>,
    #[serde(default)]
    attributes: Map<String, Value>,
}

impl LogApi {
    fn logs(&self, request: &Request) -> Result<Answer, Refusal> {
        if request.path != PATH {
            return Err(refuse(StatusCode::NOT_FOUND, "no such path"));
        }
        if request.method != Method::POST {
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, format!("method {}", request.method)));
        }
        if request.header(KEY_HEADER) != Some(self.license_key.as_str()) {
            return Err(refuse(StatusCode::FORBIDDEN, "the license key is missing or not known here"));
        }
        let content_type = request.header(CONTENT_TYPE).unwrap_or_default();
        if !content_type.starts_with("application/json") {
            let reason = format!("content type '{content_type}'");
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
        }
        Ok(take(request.body.as_ref().map_err(unreadable)?))
    }
}

impl Rules for LogApi {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[Encoding::Gzip], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.logs(request).unwrap_or_else(Refusal::answer)
    }
}

fn take(body: &[u8]) -> Answer {
    let mut answer =
        Answer::json(StatusCode::ACCEPTED, &json!({ "requestId": "c1bb62fc-001e-b000-0000-018a2d9ad2d0" }));
    let blocks: Vec<Block<'_>> = match serde_json::from_slice(body) {
        Ok(blocks) => blocks,
        Err(error) => {
            answer.violations.push((0, format!("the payload is dropped: {error}")));
            return answer;
        }
    };
    let logs = blocks.iter().flat_map(|block| block.logs.iter().map(move |log| (&block.common, log.get())));
    for (place, (common, raw)) in logs.enumerate() {
        let (kept, reasons) = judge(raw, common);
        answer.violations.extend(reasons.into_iter().map(|reason| (place, reason)));
        answer.records.extend(kept.map(|value| Record { value, raw: raw.to_owned() }));
    }
    answer
}

/// The log, unless it is dropped, and what is wrong with it.
fn judge(raw: &str, common: &Common) -> (Option<Value>, Vec<String>) {
    let Ok(Parsed { value, repeated_keys }) = strict_json::parse(raw) else {
        return (None, vec!["the log is not JSON: dropped".to_owned()]);
    };
    let Some(log) = value.as_object() else {
        return (None, vec!["the log is no object: dropped".to_owned()]);
    };
    let mut reasons: Vec<String> = repetitions(&repeated_keys).collect();
    let too_old = match log.get("timestamp").and_then(Value::as_i64).or(common.timestamp) {
        None => {
            reasons.push("no integer 'timestamp': the time of arrival counts".to_owned());
            false
        }
        Some(time) => {
            now_ms().saturating_sub(if time < FIRST_MS { time * 1_000 } else { time }) > REPLAY_WINDOW_MS
        }
    };
    if too_old {
        reasons.push("older than 48 hours: dropped".to_owned());
    }
    match log.get("message").and_then(Value::as_str) {
        None | Some("") => reasons.push("no 'message': there is nothing to search in".to_owned()),
        Some(message) => reasons.extend(cut("message", message).or_else(|| taken_apart(message))),
    }
    let attributes = log.get("attributes").and_then(Value::as_object);
    let mut counted = Vec::new();
    attributes.into_iter().for_each(|attributes| flatten("", attributes, &mut counted));
    reasons.extend(counted.iter().filter_map(|(name, value)| spoiled(name, value)));
    // The time and the message are attributes too.
    let count = counted.len() + common.attributes.len() + 2;
    if count > MAX_ATTRIBUTES {
        reasons.push(format!("{count} attributes are over {MAX_ATTRIBUTES}: the rest is dropped"));
    }
    ((!too_old).then_some(value), reasons)
}

fn flatten<'a>(path: &str, object: &'a Map<String, Value>, attributes: &mut Vec<(String, &'a Value)>) {
    for (key, value) in object {
        let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Object(object) => flatten(&name, object, attributes),
            _ => attributes.push((name, value)),
        }
    }
}

fn spoiled(name: &str, value: &Value) -> Option<String> {
    if name.chars().count() > MAX_NAME_CHARACTERS || name.is_empty() {
        return Some(format!("an attribute's name has {} characters: dropped", name.chars().count()));
    }
    if RESERVED.contains(&name) || name.starts_with("instrumentation.") {
        return Some(format!("attribute '{name}' is reserved: dropped"));
    }
    match value {
        Value::Array(_) => Some(format!("attribute '{name}' is a list: dropped")),
        Value::String(text) => cut(name, text),
        _ => None,
    }
}

fn cut(name: &str, text: &str) -> Option<String> {
    (text.len() > MAX_VALUE_BYTES)
        .then(|| format!("'{name}' has {} bytes: cut at {MAX_VALUE_BYTES}", text.len()))
}

fn taken_apart(message: &str) -> Option<String> {
    let is_object = serde_json::from_str::<Map<String, Value>>(message).is_ok();
    is_object.then(|| "the message is JSON: it is taken apart into attributes".to_owned())
}

fn unreadable(error: &BodyError) -> Refusal {
    let status = match error {
        BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::UnsupportedEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        BodyError::Corrupt(_) => StatusCode::BAD_REQUEST,
    };
    refuse(status, error.to_string())
}

fn refuse(status: StatusCode, reason: impl Into<String>) -> Refusal {
    Refusal { status, reason: reason.into() }
}

impl Refusal {
    /// Bodies of refusals are not documented.
    fn answer(self) -> Answer {
        let mut answer = Answer::json(self.status, &json!({})).refused(self.reason);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            answer.header(ALLOW, HeaderValue::from_static("POST"));
        }
        answer
    }
}

//! PagerDuty's Events API v2.
//!
//! One trigger event per request, with the integration key in its body. PagerDuty refuses what lacks a required field
//! or is too long with 400 and a list of errors. The words of some errors are known from its answers, the others are
//! written alike. A time that it cannot read becomes the time of receipt: that is a violation here, and so is a key
//! that stands twice.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Request};
use crate::siem::{Playing, Siem};
use crate::strict_json::{self, repetitions};
use crate::timestamp::iso_ms;

const PATH: &str = "/v2/enqueue";

/// "512 KB", read strictly.
const MAX_BODY_BYTES: usize = 512_000;
const KEY_CHARACTERS: usize = 32;
const MAX_DEDUP_KEY_CHARACTERS: usize = 255;
const MAX_SUMMARY_CHARACTERS: usize = 1_024;

/// PagerDuty makes one where the event has none.
const OWN_DEDUP_KEY: &str = "0d5ab8f4a1b14bb8a6a9bb2a0a5f0b5e";

const ACTIONS: &[&str] = &["trigger", "acknowledge", "resolve"];
const SEVERITIES: &[&str] = &["critical", "warning", "error", "info"];

impl Siem {
    /// Takes events with this integration key: 32 letters and digits.
    pub fn pagerduty(routing_key: &str) -> Siem {
        let routing_key = routing_key.to_owned();
        Siem::new(move |config| {
            let max_body_bytes = config.max_body_bytes.unwrap_or(MAX_BODY_BYTES);
            Playing::by(EventsApi { routing_key: routing_key.clone(), max_body_bytes })
        })
    }
}

struct EventsApi {
    routing_key: String,
    max_body_bytes: usize,
}

/// A status and its errors, all of which PagerDuty names at once.
struct Refusal {
    status: StatusCode,
    errors: Vec<String>,
}

impl Rules for EventsApi {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.enqueue(request).unwrap_or_else(Refusal::answer)
    }
}

impl EventsApi {
    fn enqueue(&self, request: &Request) -> Result<Answer, Refusal> {
        if request.path != PATH {
            return Err(refuse(StatusCode::NOT_FOUND, format!("no such path: {}", request.path)));
        }
        if request.method != Method::POST {
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, format!("method {}", request.method)));
        }
        let body = request.body.as_ref().map_err(unreadable)?;
        let text = std::str::from_utf8(body).map_err(|error| bad(error.to_string()))?;
        let parsed = strict_json::parse(text).map_err(|error| bad(error.to_string()))?;
        let mut errors = key_errors(parsed.value.get("routing_key"), &self.routing_key);
        errors.extend(event_errors(&parsed.value));
        if !errors.is_empty() {
            return Err(Refusal { status: StatusCode::BAD_REQUEST, errors });
        }
        let dedup_key = parsed.value.get("dedup_key").and_then(Value::as_str).unwrap_or(OWN_DEDUP_KEY);
        let body = json!({ "status": "success", "message": "Event processed", "dedup_key": dedup_key });
        let mut answer = Answer::json(StatusCode::ACCEPTED, &body);
        answer.violations.extend(unread_time(&parsed.value).map(|reason| (0, reason)));
        answer.violations.extend(repetitions(&parsed.repeated_keys).map(|reason| (0, reason)));
        answer.records.push(Record { value: parsed.value, raw: text.to_owned() });
        Ok(answer)
    }
}

fn unread_time(event: &Value) -> Option<String> {
    let timestamp = event.pointer("/payload/timestamp")?;
    let is_read = timestamp.is_null() || timestamp.as_str().and_then(iso_ms).is_some();
    (!is_read).then(|| format!("the timestamp {timestamp} is not read: the alert has the time of receipt"))
}

fn key_errors(given: Option<&Value>, expected: &str) -> Vec<String> {
    let Some(given) = given.and_then(Value::as_str).filter(|given| !given.is_empty()) else {
        return vec![missing("routing_key")];
    };
    let mut errors = Vec::new();
    if given.chars().count() != KEY_CHARACTERS {
        errors.push(format!("Length of 'routing_key' is incorrect (should be {KEY_CHARACTERS} characters)"));
    }
    if !given.chars().all(|character| character.is_ascii_alphanumeric()) {
        errors.push("'routing_key' cannot contain non-alphanumeric characters.".to_owned());
    }
    if errors.is_empty() && given != expected {
        errors.push("Invalid routing key".to_owned());
    }
    errors
}

fn event_errors(event: &Value) -> Vec<String> {
    let payload = &event["payload"];
    let mut errors = Vec::new();
    errors.extend(not_one_of("event_action", &event["event_action"], ACTIONS));
    errors.extend(too_long("dedup_key", &event["dedup_key"], MAX_DEDUP_KEY_CHARACTERS));
    errors.extend(blank("payload.summary", &payload["summary"]));
    errors.extend(too_long("payload.summary", &payload["summary"], MAX_SUMMARY_CHARACTERS));
    errors.extend(blank("payload.source", &payload["source"]));
    errors.extend(not_one_of("payload.severity", &payload["severity"], SEVERITIES));
    for name in ["component", "group", "class"] {
        let value = &payload[name];
        if !value.is_null() && !value.is_string() {
            errors.push(format!("'payload.{name}' is invalid (must be a string)"));
        }
    }
    let details = &payload["custom_details"];
    if !details.is_null() && !details.is_object() {
        errors.push("'payload.custom_details' is invalid (must be an object)".to_owned());
    }
    errors
}

fn blank(name: &str, value: &Value) -> Option<String> {
    value.as_str().is_none_or(|text| text.trim().is_empty()).then(|| missing(name))
}

fn too_long(name: &str, value: &Value, most: usize) -> Option<String> {
    let long = value.as_str().is_some_and(|text| text.chars().count() > most);
    long.then(|| format!("'{name}' is too long (maximum is {most} characters)"))
}

fn not_one_of(name: &str, value: &Value, words: &[&str]) -> Option<String> {
    if value.as_str().is_some_and(|word| words.contains(&word)) {
        return None;
    }
    let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    Some(format!("'{name}' is invalid (must be one of the following: {})", words.join(", ")))
}

fn missing(name: &str) -> String {
    format!("'{name}' is missing or blank")
}

fn unreadable(error: &BodyError) -> Refusal {
    match error {
        BodyError::TooLarge(_) => refuse(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
        BodyError::UnsupportedEncoding(_) | BodyError::Corrupt(_) => bad(error.to_string()),
    }
}

fn bad(error: impl Into<String>) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, error)
}

fn refuse(status: StatusCode, error: impl Into<String>) -> Refusal {
    Refusal { status, errors: vec![error.into()] }
}

impl Refusal {
    fn answer(self) -> Answer {
        let reason = self.errors.join("; ");
        let body = json!({
            "status": "invalid event", "message": "Event object is invalid", "errors": self.errors,
        });
        Answer::json(self.status, &body).refused(reason)
    }
}

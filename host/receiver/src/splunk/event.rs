//! The rules for one event: what Splunk refuses, and what it indexes wrongly without a word.

use std::ops::Range;

use serde_json::{Map, Value};

use super::code::{Code, EVENT_BLANK, EVENT_REQUIRED, INDEXED_FIELDS, INVALID_FORMAT};
use crate::answer::Record;
use crate::strict_json::{self, Parsed, repetitions};

const ENVELOPE_KEYS: &[&str] = &["event", "time", "host", "source", "sourcetype", "index", "fields"];

/// Seconds in this range are a date between 1970 and 5138; milliseconds of our century are above it.
const PLAUSIBLE_SECONDS: Range<f64> = 0.0..1e11;

/// Splunk's `maxEventSize`; a larger event does not parse.
const MAX_EVENT_BYTES: usize = 5_000_000;

/// One event with what Splunk would spoil of it.
pub(super) fn read_event(raw: &str) -> Result<(Record, Vec<String>), (Code, String)> {
    if raw.len() > MAX_EVENT_BYTES {
        return Err((INVALID_FORMAT, format!("{} bytes are over maxEventSize", raw.len())));
    }
    let Parsed { value, repeated_keys } =
        strict_json::parse(raw).map_err(|error| (INVALID_FORMAT, error.to_string()))?;
    let Some(envelope) = value.as_object() else {
        return Err((INVALID_FORMAT, "not an object".to_owned()));
    };
    check_envelope(envelope)?;
    let mut spoiled = spoiled(envelope);
    spoiled.extend(repetitions(&repeated_keys));
    Ok((Record { value, raw: raw.to_owned() }, spoiled))
}

fn check_envelope(envelope: &Map<String, Value>) -> Result<(), (Code, String)> {
    match envelope.get("event") {
        None => return Err((EVENT_REQUIRED, "no key 'event'".to_owned())),
        Some(Value::Null) => return Err((EVENT_BLANK, "'event' is null".to_owned())),
        Some(Value::String(text)) if text.trim().is_empty() => {
            return Err((EVENT_BLANK, "'event' is blank".to_owned()));
        }
        Some(Value::String(_) | Value::Number(_) | Value::Object(_)) => {}
        Some(_) => return Err((INVALID_FORMAT, "'event' is no string, number or object".to_owned())),
    }
    for key in ["host", "source", "sourcetype", "index"] {
        if envelope.get(key).is_some_and(|value| !value.is_string()) {
            return Err((INVALID_FORMAT, format!("'{key}' is not a string")));
        }
    }
    if let Some(time) = envelope.get("time").filter(|time| seconds(time).is_none()) {
        return Err((INVALID_FORMAT, format!("time {time} is not a number of seconds")));
    }
    match envelope.get("fields").filter(|fields| !is_flat(fields)) {
        Some(_) => Err((INDEXED_FIELDS, "'fields' is not a flat object".to_owned())),
        None => Ok(()),
    }
}

/// What Splunk indexes wrongly without a word.
fn spoiled(envelope: &Map<String, Value>) -> Vec<String> {
    let unknown = envelope.keys().filter(|key| !ENVELOPE_KEYS.contains(&key.as_str()));
    let mut reasons: Vec<String> =
        unknown.map(|key| format!("key '{key}' beside 'event' is ignored")).collect();
    if let Some(time) = envelope.get("time").and_then(seconds)
        && !PLAUSIBLE_SECONDS.contains(&time)
    {
        reasons.push(format!("time {time} is not in seconds since 1970"));
    }
    reasons
}

fn seconds(time: &Value) -> Option<f64> {
    match time {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().filter(|seconds: &f64| seconds.is_finite()),
        _ => None,
    }
}

fn is_flat(fields: &Value) -> bool {
    let is_scalar = |value: &Value| !value.is_object() && !value.is_array();
    fields.as_object().is_some_and(|fields| {
        fields.values().all(|value| match value {
            Value::Array(items) => items.iter().all(is_scalar),
            value => is_scalar(value),
        })
    })
}

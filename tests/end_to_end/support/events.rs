//! Events as producers send them.

use std::time::SystemTime;

use serde_json::{Value, json};
use siemaphore_producers::{Sample, samples};

/// This moment as producers write it. SIEMs drop or re-time what is old, so events happen now.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

/// So many different events of one producer, with `request_id` from `PREFIX-0` on.
pub(crate) fn numbered(prefix: &str, count: usize) -> Vec<Value> {
    let now = now();
    let event = |number: usize| {
        json!({
            "event_type": "dlp.pii_blocked",
            "project_id": "proj_abc123",
            "request_id": format!("{prefix}-{number}"),
            "severity": "high",
            "source": "aisg",
            "timestamp": now,
            "details": { "entities_found": ["SSN"], "action": "blocked", "model": "gpt-4.1" },
        })
    };
    (0..count).map(event).collect()
}

/// Every `request_id` of [`numbered`], sorted as text.
pub(crate) fn numbered_ids(prefix: &str, count: usize) -> Vec<String> {
    let mut ids: Vec<String> = (0..count).map(|number| format!("{prefix}-{number}")).collect();
    ids.sort();
    ids
}

/// Every documented event of every producer, happening now.
pub(crate) fn documented() -> Vec<Sample> {
    let now = SystemTime::now();
    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH).expect("this is after 1970");
    let text = || Value::from(humantime::format_rfc3339_millis(now).to_string());
    let mut samples = samples();
    for sample in &mut samples {
        let (key, time) = match sample.producer {
            "aegis" => ("@timestamp", text()),
            "authos" => ("created_at", text()),
            "cloudevents" => ("time", text()),
            "ocsf" => ("time", json!(u64::try_from(since_1970.as_millis()).expect("a time in range"))),
            "otlp" => ("observed_time_unix_nano", since_1970.as_nanos().to_string().into()),
            _ => ("timestamp", text()),
        };
        let members = sample.raw.as_object_mut().expect("an event is an object");
        members.remove("time_unix_nano");
        members.insert(key.to_owned(), time);
    }
    samples
}

/// One event a line.
pub(crate) fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

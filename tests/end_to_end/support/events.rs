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
    let now = now();
    let mut samples = samples();
    for sample in &mut samples {
        let key = if sample.producer == "aegis" { "@timestamp" } else { "timestamp" };
        let time = sample.raw.get_mut(key).expect("each documented event has a time");
        *time = now.clone().into();
    }
    samples
}

/// One event a line.
pub(crate) fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

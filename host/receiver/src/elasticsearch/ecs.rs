//! The values that ECS lists. Elasticsearch stores others without a word, and Elastic's views do not find them.

use serde_json::Value;

const KINDS: &[&str] = &["alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error"];
const CATEGORIES: &[&str] = &[
    "api",
    "authentication",
    "configuration",
    "database",
    "driver",
    "email",
    "file",
    "host",
    "iam",
    "intrusion_detection",
    "library",
    "malware",
    "network",
    "package",
    "process",
    "registry",
    "session",
    "threat",
    "vulnerability",
    "web",
];
const TYPES: &[&str] = &[
    "access",
    "admin",
    "allowed",
    "change",
    "connection",
    "creation",
    "deletion",
    "denied",
    "device",
    "end",
    "error",
    "group",
    "indicator",
    "info",
    "installation",
    "protocol",
    "start",
    "user",
];
const OUTCOMES: &[&str] = &["success", "failure", "unknown"];

/// Field, its legal values, and whether it holds a list.
const LISTED: [(&str, &[&str], bool); 4] = [
    ("kind", KINDS, false),
    ("category", CATEGORIES, true),
    ("type", TYPES, true),
    ("outcome", OUTCOMES, false),
];

pub(super) fn illegal_values(document: &Value) -> Vec<String> {
    let Some(event) = document.get("event") else {
        return vec!["no 'event': ECS has its classification there".to_owned()];
    };
    let mut reasons = Vec::new();
    for (field, legal, is_list) in LISTED {
        let Some(value) = event.get(field) else { continue };
        let values = match value {
            Value::Array(values) if is_list => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        if value.is_array() != is_list {
            reasons.push(format!("event.{field} is {}a list in ECS", if is_list { "" } else { "not " }));
        }
        let illegal = values.iter().filter(|value| value.as_str().is_none_or(|text| !legal.contains(&text)));
        reasons.extend(illegal.map(|value| format!("event.{field} {value} is no value of ECS")));
    }
    if document.pointer("/event/severity").is_some_and(|severity| !severity.is_u64()) {
        reasons.push("event.severity is a whole number in ECS".to_owned());
    }
    reasons
}

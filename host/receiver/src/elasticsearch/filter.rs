//! `filter_path`: which members of an answer are wanted.

use serde_json::{Map, Value};

/// What remains of an answer. Lists are looked through and keep their order; one of nothing is left out.
pub(super) fn keep(value: Value, patterns: &str) -> Value {
    let patterns: Vec<Vec<&str>> = patterns.split(',').map(|pattern| pattern.split('.').collect()).collect();
    let patterns: Vec<&[&str]> = patterns.iter().map(Vec::as_slice).collect();
    kept(value, &patterns).unwrap_or_else(|| Value::Object(Map::new()))
}

fn kept(value: Value, patterns: &[&[&str]]) -> Option<Value> {
    if patterns.iter().any(|pattern| pattern.is_empty()) {
        return Some(value);
    }
    match value {
        Value::Array(elements) => {
            let elements: Vec<Value> =
                elements.into_iter().filter_map(|element| kept(element, patterns)).collect();
            (!elements.is_empty()).then_some(Value::Array(elements))
        }
        Value::Object(members) => {
            let members = members.into_iter().filter_map(|(name, value)| {
                let matching = patterns.iter().filter_map(|pattern| {
                    pattern
                        .split_first()
                        .filter(|(first, _)| **first == "*" || **first == name)
                        .map(|(_, rest)| rest)
                });
                let matching: Vec<&[&str]> = matching.collect();
                kept(value, &matching).map(|value| (name, value))
            });
            let members: Map<String, Value> = members.collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        _ => None,
    }
}

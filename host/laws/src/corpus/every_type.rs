//! Every JSON type in every place: one documented event of each producer, with all values replaced by one of each type.
//!
//! Where another value would make it another producer's event, or none, the place keeps its own: a formatter looks at a
//! place because of the producer.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Intake, Raw};

pub(super) fn events(intake: &Intake, documented: &[(&str, &str)]) -> Vec<Raw> {
    // The last of each producer; which one makes no difference.
    let one_of_each: BTreeMap<&str, &str> =
        documented.iter().filter_map(|(name, text)| Some((name.split_once('/')?.0, *text))).collect();
    one_of_each.into_iter().flat_map(|(producer, text)| of(intake, producer, text)).collect()
}

/// Values of every type, by what an author reads.
pub(super) fn types() -> [(&'static str, Value); 7] {
    [
        ("null", Value::Null),
        ("true", json!(true)),
        ("numbers", json!(-7.5)),
        ("empty-texts", json!("")),
        ("texts", json!("text")),
        ("arrays", json!([null, false, 1, "text", [], {}])),
        ("objects", json!({ "": null, "name": { "id": [{}] } })),
    ]
}

fn of(intake: &Intake, producer: &str, text: &str) -> Vec<Raw> {
    let Ok(event) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let mut leaves = Vec::new();
    collect_leaves(&event, String::new(), &mut leaves);
    let raw = types().into_iter().map(|(kind, value)| {
        let mut changed = event.clone();
        for leaf in &leaves {
            replace(intake, producer, &mut changed, leaf, &value);
        }
        Raw::new(format!("types/{producer}-{kind}"), changed.to_string())
    });
    raw.collect()
}

fn replace(intake: &Intake, producer: &str, event: &mut Value, leaf: &str, value: &Value) {
    let Some(place) = event.pointer_mut(leaf) else { return };
    let before = std::mem::replace(place, value.clone());
    if intake.producer(&event.to_string()).as_deref() == Some(producer) {
        return;
    }
    if let Some(place) = event.pointer_mut(leaf) {
        *place = before;
    }
}

fn collect_leaves(value: &Value, pointer: String, leaves: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect_leaves(value, format!("{pointer}/{name}"), leaves);
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                collect_leaves(value, format!("{pointer}/{index}"), leaves);
            }
        }
        _ => leaves.push(pointer),
    }
}

//! Every documented event of every producer, as New Relic gets it with default settings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_newrelic::NewRelic;
use siemaphore_producers::{Documented, contains, events, samples};
use siemaphore_sdk::testkit;

fn with_defaults() -> Documented<NewRelic> {
    Documented::new("{}")
}

#[test]
fn each_documented_event_has_its_expected_record() {
    with_defaults().assert_snapshots(env!("CARGO_MANIFEST_DIR"));
}

/// The leaves of a document under names with dots.
fn leaves(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(&name, value, found);
            }
        }
        value => found.push((path.to_owned(), value.clone())),
    }
}

#[test]
fn every_value_of_every_document_is_an_attribute_or_the_message() {
    for sample in samples() {
        let log = with_defaults().of(&sample);
        let mut expected = Vec::new();
        leaves("", &sample.raw, &mut expected);
        for (name, value) in expected {
            let kept = match value {
                Value::Array(items) => {
                    let texts: Vec<&str> = items.iter().map(|item| item.as_str().unwrap()).collect();
                    json!(texts.join(","))
                }
                value => value,
            };
            let attributes = &log["attributes"];
            let is_there = attributes.get(&name) == Some(&kept)
                || attributes.get(format!("original_{name}")) == Some(&kept)
                || (name == "message" && log["message"] == kept)
                || (name == "timestamp" && kept == json!(sample.event.timestamp))
                || kept.is_null()
                || kept == json!("");
            assert!(is_there, "{}/{}: {name} is lost: {log}", sample.producer, sample.name);
        }
    }
}

#[test]
fn attributes_are_flat_and_never_lists() {
    for sample in samples() {
        let log = with_defaults().of(&sample);
        let attributes = log["attributes"].as_object().unwrap();
        assert!(attributes.values().all(|value| !value.is_array() && !value.is_object()), "{log}");
    }
}

#[test]
fn the_example_of_the_set_up_page_arrives_as_it_shows() {
    let documented = json!({
        "timestamp": 1_780_949_730_000_u64,
        "message": "budget.exhausted",
        "attributes": {
            "logtype": "aisg.security", "service.name": "proj_abc123", "level": "warn", "severity": "medium",
            "event_type": "budget.exhausted", "siemaphore.decision": "blocked",
        },
    });
    let log = with_defaults().named("aisg", "budget-exhausted");
    assert!(contains(&log, &documented), "{log}");
}

#[test]
fn lists_are_joined_by_commas() {
    let attributes = &with_defaults().named("aegis", "preflight-blocked")["attributes"];
    assert_eq!(attributes["event.category"], "aegis,preflight");
}

#[test]
fn who_and_what_have_one_name_for_all_producers() {
    for (producer, name, user, decision) in [
        ("systemprompt", "tool-call-completed", "usr_8f3a2b1c", "allowed"),
        ("aegis", "preflight-blocked", "actor@example.com", "blocked"),
        ("keeptrusts", "blocked", "user_7f21", "blocked"),
    ] {
        let attributes = &with_defaults().named(producer, name)["attributes"];
        assert_eq!(attributes["siemaphore.user_id"], user, "{producer}");
        assert_eq!(attributes["siemaphore.decision"], decision, "{producer}");
    }
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<NewRelic>(&events());
}

//! Every documented event of every producer, as Logstash gets it with default settings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::json;
use siemaphore_formatter_logstash::Logstash;
use siemaphore_producers::{Documented, contains, events, samples};
use siemaphore_sdk::testkit;

fn with_defaults() -> Documented<Logstash> {
    Documented::new("{}")
}

#[test]
fn each_documented_event_has_its_expected_record() {
    with_defaults().assert_snapshots(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn every_member_of_every_document_is_at_the_root() {
    for sample in samples() {
        let record = with_defaults().of(&sample);
        for (name, value) in sample.raw.as_object().unwrap() {
            let kept = record.get(format!("original_{name}")).or(record.get(name));
            let is_there = kept.is_some_and(|kept| contains(kept, value))
                || (name == "@timestamp" && value == &json!(sample.event.timestamp));
            assert!(is_there, "{}/{}: {name} is lost: {record}", sample.producer, sample.name);
        }
    }
}

#[test]
fn the_example_of_the_set_up_page_arrives_as_it_shows() {
    let documented = json!({
        "@timestamp": "2026-06-08T20:15:30Z", "event_type": "budget.exhausted", "severity": "medium",
        "project_id": "proj_abc123",
        "siemaphore": { "producer": "aisg", "organization": "acme", "project": "proj_abc123", "decision": "blocked" },
    });
    let record = with_defaults().named("aisg", "budget-exhausted");
    assert!(contains(&record, &documented), "{record}");
}

#[test]
fn who_and_what_have_one_name_for_all_producers() {
    for (producer, name, user, decision) in [
        ("systemprompt", "tool-call-completed", "usr_8f3a2b1c", "allowed"),
        ("aegis", "preflight-blocked", "actor@example.com", "blocked"),
        ("keeptrusts", "blocked", "user_7f21", "blocked"),
    ] {
        let record = with_defaults().named(producer, name);
        assert_eq!(record["siemaphore"]["user_id"], user, "{producer}");
        assert_eq!(record["siemaphore"]["decision"], decision, "{producer}");
    }
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Logstash>(&events());
}

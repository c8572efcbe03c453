//! Every documented event of every producer, as Datadog gets it with default settings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::json;
use siemaphore_formatter_datadog::Datadog;
use siemaphore_producers::{Documented, contains, events, samples};
use siemaphore_sdk::testkit;

fn with_defaults() -> Documented<Datadog> {
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
        for (key, value) in sample.raw.as_object().unwrap() {
            // A name that means something to Datadog is the envelope's.
            let found = [record.get(key), record.get(format!("original_{key}"))];
            let is_there = found.into_iter().flatten().any(|found| found == value);
            assert!(is_there, "{}/{} {key}: {record}", sample.producer, sample.name);
        }
    }
}

#[test]
fn aisg_arrives_as_its_page_shows() {
    let documented = json!({
        "ddsource": "aisg",
        "ddtags": "env:production,service:proj_abc123",
        "hostname": "aisg-proxy",
        "message": "budget.exhausted",
        "service": "proj_abc123",
        "status": "warn",
        "event_type": "budget.exhausted",
        "project_id": "proj_abc123",
        "severity": "medium",
        "timestamp": "2026-06-08T20:15:30Z",
    });
    let payload = with_defaults().named("aisg", "budget-exhausted");
    assert!(contains(&payload, &documented), "{payload}");
}

#[test]
fn severities_become_statuses_that_datadog_ranks_the_same_way() {
    for (name, status) in
        [("dlp-pii-blocked", "error"), ("dlp-injection-blocked", "critical"), ("dlp-pii-redacted", "warn")]
    {
        assert_eq!(with_defaults().named("aisg", name)["status"], status, "{name}");
    }
}

#[test]
fn systemprompts_fields_are_mapped_to_the_standard_attributes_of_its_page() {
    let payload = with_defaults().named("systemprompt", "tool-call-completed");
    assert_eq!(payload["usr"]["email"], "j.chen@acme.com");
    assert_eq!(payload["evt"]["name"], "database_query");
    assert_eq!(payload["evt"]["outcome"], "allowed");
    assert_eq!(payload["identity"]["email"], "j.chen@acme.com", "and stays where it was");
}

#[test]
fn the_other_producers_users_and_outcomes_are_standard_attributes() {
    let aegis = with_defaults().named("aegis", "preflight-blocked");
    assert_eq!(aegis["usr"], json!({ "email": "actor@example.com", "id": "actor@example.com" }));
    assert_eq!(aegis["evt"], json!({ "name": "preflight_check", "outcome": "failure" }));
    let keeptrusts = with_defaults().named("keeptrusts", "blocked");
    assert_eq!(keeptrusts["usr"], json!({ "id": "user_7f21" }));
    assert_eq!(keeptrusts["evt"], json!({ "name": "blocked", "outcome": "block" }));
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Datadog>(&events());
}

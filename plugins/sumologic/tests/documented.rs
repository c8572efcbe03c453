//! Every documented event of every producer, as Sumo Logic gets it with default settings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::json;
use siemaphore_formatter_sumologic::SumoLogic;
use siemaphore_producers::{Documented, contains, events, samples};
use siemaphore_sdk::testkit;

fn with_defaults() -> Documented<SumoLogic> {
    Documented::new("{}")
}

#[test]
fn each_documented_event_has_its_expected_record() {
    with_defaults().assert_snapshots(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn every_message_begins_with_its_time_in_milliseconds() {
    for sample in samples() {
        let line = with_defaults().text(&sample);
        let time = line.strip_prefix(r#"{"timestamp":""#).and_then(|rest| rest.get(..24)).unwrap();
        assert_eq!(time.get(..19), sample.event.timestamp.get(..19), "{line}");
        assert!(time.get(19..20) == Some(".") && time.ends_with('Z'), "{line}");
    }
}

#[test]
fn every_member_of_every_document_is_at_the_root() {
    for sample in samples() {
        let mut raw = sample.raw.clone();
        let members = raw.as_object_mut().unwrap();
        // Written from the envelope, in another form.
        members.remove("timestamp");
        let severity = members.remove("severity");
        let record = with_defaults().of(&sample);
        assert!(contains(&record, &raw), "{}/{}: {record}", sample.producer, sample.name);
        let kept = record.get("original_severity").or(record.get("severity"));
        assert!(severity.is_none() || kept == severity.as_ref(), "{}/{}", sample.producer, sample.name);
    }
}

#[test]
fn the_example_of_the_set_up_page_arrives_as_it_shows() {
    let documented = json!({
        "timestamp": "2026-06-08T20:15:30.000Z", "event_type": "budget.exhausted", "severity": "medium",
        "project_id": "proj_abc123",
        "siemaphore": {
            "source": "gateway", "producer": "aisg", "organization": "acme", "project": "proj_abc123",
            "decision": "blocked",
        },
    });
    let message = with_defaults().named("aisg", "budget-exhausted");
    assert!(contains(&message, &documented), "{message}");
    assert_eq!(message.get("original_timestamp"), None, "the same time is not kept twice");
}

#[test]
fn who_and_what_have_one_name_for_all_producers() {
    for (producer, name, user, decision) in [
        ("systemprompt", "tool-call-completed", "usr_8f3a2b1c", "allowed"),
        ("aegis", "preflight-blocked", "actor@example.com", "blocked"),
        ("keeptrusts", "blocked", "user_7f21", "blocked"),
    ] {
        let message = with_defaults().named(producer, name);
        assert_eq!(message["siemaphore"]["user_id"], user, "{producer}");
        assert_eq!(message["siemaphore"]["decision"], decision, "{producer}");
    }
}

#[test]
fn a_time_that_is_finer_than_milliseconds_is_kept_beside() {
    let message = with_defaults().named("aegis", "preflight-allowed-with-masking");
    assert_eq!(message["timestamp"], "2026-05-15T10:33:21.456Z");
    assert_eq!(message["@timestamp"], "2026-05-15T10:33:21.456789+00:00");
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<SumoLogic>(&events());
}

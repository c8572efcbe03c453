//! Every documented event of every producer, as Splunk gets it with default settings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_splunk::Splunk;
use siemaphore_producers::{Documented, contains, events, samples};
use siemaphore_sdk::testkit;

fn with_defaults() -> Documented<Splunk> {
    Documented::new("{}")
}

#[test]
fn each_documented_event_has_its_expected_record() {
    with_defaults().assert_snapshots(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn the_document_is_carried_unchanged() {
    for sample in samples() {
        let record = with_defaults().text(&sample);
        assert!(record.contains(&format!(r#""event":{}"#, sample.event.document)), "{record}");
        assert_eq!(serde_json::from_str::<Value>(&record).unwrap()["event"], sample.raw);
    }
}

#[test]
fn aisg_arrives_as_its_page_shows() {
    let documented = json!({
        "event": {
            "event_type": "dlp.pii_blocked",
            "project_id": "proj_abc123",
            "request_id": "req_xyz789",
            "severity": "high",
            "source": "aisg",
            "timestamp": "2026-06-08T20:15:30Z",
            "details": { "entities_found": ["SSN", "CREDIT_CARD"], "action": "blocked", "model": "gpt-4.1" },
        },
        "sourcetype": "aisg:security",
        "index": "main",
    });
    let payload = with_defaults().named("aisg", "dlp-pii-blocked");
    assert!(contains(&payload, &documented), "{payload}");
    assert_eq!(payload["time"], json!(1_780_949_730.0));
}

#[test]
fn the_severities_of_aisgs_table_have_levels_of_their_own() {
    for (name, severity, level) in [
        ("dlp-pii-blocked", "high", 5),
        ("dlp-injection-blocked", "critical", 6),
        ("dlp-pii-redacted", "medium", 4),
        ("budget-exhausted", "medium", 4),
        ("loop-detected", "high", 5),
    ] {
        let payload = with_defaults().named("aisg", name);
        assert_eq!(payload["fields"]["severity"], severity, "{name}");
        assert_eq!(payload["fields"]["severity_id"], level, "{name}");
    }
}

#[test]
fn the_other_producers_arrive_with_the_source_types_of_their_pages() {
    for (producer, name, sourcetype) in [
        ("systemprompt", "tool-call-completed", "ai:governance:v1"),
        ("keeptrusts", "blocked", "_json"),
        ("aegis", "preflight-blocked", "_json"),
    ] {
        let payload = with_defaults().named(producer, name);
        assert_eq!(payload["sourcetype"], sourcetype);
        assert_eq!(payload.get("index"), None, "the token decides");
    }
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Splunk>(&events());
}

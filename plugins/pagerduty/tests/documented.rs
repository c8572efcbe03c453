//! Every documented event of every producer, as PagerDuty gets it with default settings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_pagerduty::PagerDuty;
use siemaphore_producers::{Documented, contains, events, samples};
use siemaphore_sdk::testkit;

fn with_defaults() -> Documented<PagerDuty> {
    Documented::new("{}")
}

#[test]
fn each_documented_event_has_its_expected_record() {
    with_defaults().assert_snapshots(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn every_document_is_in_the_details_as_it_is() {
    for sample in samples() {
        let alert = with_defaults().of(&sample);
        let document: Value = serde_json::from_str(&sample.event.document).unwrap();
        let kept = &alert["payload"]["custom_details"]["document"];
        assert_eq!(*kept, document, "{}/{}", sample.producer, sample.name);
    }
}

#[test]
fn the_example_of_the_set_up_page_arrives_as_it_shows() {
    let documented = json!({
        "event_action": "trigger", "client": "Siemaphore",
        "payload": {
            "summary": "tool_call.completed (user j.chen@acme.com, tool database_query)", "severity": "info",
            "timestamp": "2026-04-07T14:32:18.847Z", "class": "tool_call.completed", "component": "database_query",
            "custom_details": { "user_id": "usr_8f3a2b1c", "decision": "allowed", "producer": "systemprompt" },
        },
    });
    let alert = with_defaults().named("systemprompt", "tool-call-completed");
    assert!(contains(&alert, &documented), "{alert:#}");
    assert_eq!(alert["dedup_key"], alert["payload"]["custom_details"]["event_key"]);
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<PagerDuty>(&events());
}

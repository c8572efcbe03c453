//! Every documented event of every producer, as a receiver gets it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_webhook::Webhook;
use siemaphore_producers::{Sample, events, sample, samples};
use siemaphore_sdk::testkit;

fn record(settings: &Value, sample: &Sample) -> Value {
    let configured = testkit::configure::<Webhook>(&settings.to_string()).unwrap();
    serde_json::from_str(&configured.record(&sample.event)).unwrap()
}

#[test]
fn each_documented_event_has_its_expected_record() {
    siemaphore_producers::assert_snapshots(env!("CARGO_MANIFEST_DIR"), |sample| record(&json!({}), sample));
}

#[test]
fn the_envelope_holds_the_whole_document() {
    for sample in samples() {
        let record = record(&json!({}), &sample);
        assert_eq!(record["document"], sample.raw, "{}/{}", sample.producer, sample.name);
        assert_eq!(record["key"], sample.event.key);
    }
}

#[test]
fn the_bare_document_is_the_producers_own() {
    for sample in samples() {
        assert_eq!(record(&json!({ "body": "document" }), &sample), sample.raw);
    }
}

#[test]
fn a_template_asks_every_producer_the_same_questions() {
    let template = r#"{
        "alert": "{{event_type}}: {{decision}} for {{user_id}}",
        "severity": {{severity_number}},
        "policy": {{policy}},
        "at": {{timestamp_ms}}
    }"#;
    let of = |producer, name| record(&json!({ "template": template }), &sample(producer, name));
    assert_eq!(
        of("systemprompt", "tool-call-blocked"),
        json!({ "alert": "tool_call.blocked: blocked for usr_8f3a2b1c", "severity": 4, "policy": null, "at": 1_775_570_778_847_u64 })
    );
    assert_eq!(of("keeptrusts", "blocked")["alert"], "blocked: blocked for user_7f21");
    assert_eq!(of("keeptrusts", "blocked")["policy"], "pii-guard");
    assert_eq!(of("aegis", "preflight-blocked")["policy"], "pol_xyz");
    assert_eq!(of("aisg", "dlp-pii-blocked")["alert"], "dlp.pii_blocked: blocked for ");
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Webhook>(&events());
}

#[test]
fn the_laws_hold_however_the_records_are_framed() {
    let events = events();
    for framing in ["one_per_request", "array", "lines"] {
        testkit::check_laws_with::<Webhook>(&json!({ "framing": framing }).to_string(), &events);
    }
}

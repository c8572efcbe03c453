//! Every documented event of every producer, as an OTLP server gets it with default settings.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_otlp::Otlp;
use siemaphore_producers::{Documented, events};
use siemaphore_sdk::testkit;

fn with_defaults() -> Documented<Otlp> {
    Documented::new("{}")
}

fn log_record(producer: &'static str, name: &str) -> Value {
    with_defaults().named(producer, name)["scopeLogs"][0]["logRecords"][0].clone()
}

fn attribute<'a>(record: &'a Value, key: &str) -> &'a Value {
    let attributes = record["attributes"].as_array().unwrap();
    let found: Vec<_> = attributes.iter().filter(|attribute| attribute["key"] == key).collect();
    assert!(found.len() < 2, "{key} comes twice");
    found.first().map_or(&Value::Null, |attribute| &attribute["value"])
}

#[test]
fn each_documented_event_has_its_expected_record() {
    with_defaults().assert_snapshots(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn severities_are_those_of_the_sheet() {
    for (name, number, text) in [
        ("dlp-pii-blocked", 17, "high"),
        ("dlp-injection-blocked", 21, "critical"),
        ("dlp-pii-redacted", 13, "medium"),
    ] {
        let record = log_record("aisg", name);
        assert_eq!((&record["severityNumber"], &record["severityText"]), (&json!(number), &json!(text)));
    }
}

#[test]
fn facts_become_semantic_convention_attributes() {
    let record = log_record("systemprompt", "tool-call-completed");
    for (key, value) in [
        ("user.id", "usr_8f3a2b1c"),
        ("user.email", "j.chen@acme.com"),
        ("session.id", "ses_7k2m9n4p"),
        ("gen_ai.agent.name", "Code Reviewer"),
        ("gen_ai.request.model", "claude-sonnet-4-6"),
        ("gen_ai.tool.name", "database_query"),
        ("siemaphore.decision", "allowed"),
        ("event.name", "tool_call.completed"),
    ] {
        assert_eq!(attribute(&record, key), &json!({ "stringValue": value }), "{key}");
    }
    assert_eq!(attribute(&record, "gen_ai.usage.input_tokens"), &json!({ "intValue": "1250" }));
    let violation = log_record("systemprompt", "policy-violation");
    assert_eq!(
        attribute(&violation, "security_rule.name"),
        &json!({ "stringValue": "department_scope_check" })
    );
    let keeptrusts = log_record("keeptrusts", "blocked");
    assert_eq!(attribute(&keeptrusts, "security_rule.ruleset.name"), &json!({ "stringValue": "pii-guard" }));
}

#[test]
fn the_documents_members_are_attributes_under_their_path() {
    let record = log_record("systemprompt", "policy-evaluated");
    assert_eq!(attribute(&record, "identity.department"), &json!({ "stringValue": "engineering" }));
    assert_eq!(attribute(&record, "governance.evaluation_ms"), &json!({ "intValue": "2" }));
    assert_eq!(
        attribute(&record, "tool_call.parameter_fields"),
        &json!({ "arrayValue": { "values": [
            { "stringValue": "query" }, { "stringValue": "schema" }, { "stringValue": "limit" },
        ] } })
    );
    assert_eq!(attribute(&record, "governance.matched_rule"), &Value::Null, "null says nothing");
}

#[test]
fn the_body_is_the_sentence_of_the_producer() {
    assert_eq!(
        log_record("aegis", "preflight-blocked")["body"],
        json!({ "stringValue": "Detected SSN; blocked." })
    );
    assert_eq!(log_record("aisg", "budget-exhausted")["body"], json!({ "stringValue": "budget.exhausted" }));
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Otlp>(&events());
}

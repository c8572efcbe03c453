//! Every documented event of every producer, as a collector gets it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod schema;

use serde_json::{Value, json};
use siemaphore_formatter_ocsf::Ocsf;
use siemaphore_producers::{Sample, events, sample, samples};
use siemaphore_sdk::testkit;

fn record(settings: &Value, sample: &Sample) -> Value {
    let configured = testkit::configure::<Ocsf>(&settings.to_string()).unwrap();
    serde_json::from_str(&configured.record(&sample.event)).unwrap()
}

fn by_default(producer: &'static str, name: &str) -> Value {
    record(&json!({}), &sample(producer, name))
}

#[test]
fn each_documented_event_has_its_expected_record() {
    siemaphore_producers::assert_snapshots(env!("CARGO_MANIFEST_DIR"), |sample| record(&json!({}), sample));
}

#[test]
fn every_event_conforms_to_both_releases_in_both_classes() {
    for sample in samples() {
        for version in ["1.3.0", "1.8.0"] {
            for class in ["by_event", "detection_finding", "api_activity"] {
                let record = record(&json!({ "schema_version": version, "class": class }), &sample);
                let problems = schema::problems(&record);
                assert_eq!(
                    problems, [""; 0],
                    "{}/{} {version} {class}: {record}",
                    sample.producer, sample.name
                );
            }
        }
    }
}

#[test]
fn the_validator_finds_what_strict_consumers_refuse() {
    let finding = by_default("aisg", "dlp-pii-blocked");
    for (pointer, value, problem) in [
        ("/type_uid", json!(600_301), "type_uid"),
        ("/time", json!(1_780_949_730), "time"),
        ("/time", json!("1780949730000"), "time"),
        ("/action_id", json!(4), "action_id"),
        ("/status_id", json!(6), "status_id"),
        ("/metadata/version", json!("1.4.0"), "version"),
        ("/metadata/product", json!({ "name": "x" }), "vendor_name is missing"),
        ("/finding_info", json!({ "uid": "x" }), "title is missing"),
        ("/unmapped", json!("{}"), "unmapped"),
        ("/evidences/0/actor", json!({}), "has none of"),
        ("/metadata/is_alert", json!(true), "is not in 1.3.0"),
    ] {
        let mut broken = finding.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        broken.pointer_mut(parent).unwrap()[name] = value;
        let problems = schema::problems(&broken);
        assert!(problems.iter().any(|found| found.contains(problem)), "{pointer}: {problems:?}");
    }
}

#[test]
fn unmapped_holds_the_whole_document_and_the_metadata_its_key() {
    for sample in samples() {
        let record = record(&json!({}), &sample);
        assert_eq!(record["unmapped"], sample.raw, "{}/{}", sample.producer, sample.name);
        assert_eq!(record["metadata"]["uid"], sample.event.key);
    }
}

#[test]
fn verdicts_are_findings_and_ordinary_work_is_activity() {
    for (producer, name, type_uid, action_id, disposition_id) in [
        ("aisg", "dlp-pii-blocked", 200_401, 2, 2),
        ("aisg", "dlp-pii-redacted", 200_401, 1, 11),
        ("keeptrusts", "escalated", 200_401, 0, 15),
        ("keeptrusts", "request", 600_399, 1, 1),
        ("aegis", "preflight-blocked", 200_401, 2, 2),
        ("systemprompt", "policy-violation", 200_401, 2, 2),
        ("systemprompt", "tool-call-completed", 600_399, 1, 1),
        ("systemprompt", "session-started", 600_301, 0, 17),
        ("systemprompt", "session-ended", 600_304, 0, 17),
        ("systemprompt", "policy-configuration-changed", 600_303, 0, 17),
        ("systemprompt", "authentication-failure", 600_399, 0, 17),
    ] {
        let record = by_default(producer, name);
        let found = (&record["type_uid"], &record["action_id"], &record["disposition_id"]);
        assert_eq!(found, (&json!(type_uid), &json!(action_id), &json!(disposition_id)), "{producer}/{name}");
    }
}

#[test]
fn release_1_8_says_what_1_3_has_no_words_for() {
    let of = |producer, name| record(&json!({ "schema_version": "1.8.0" }), &sample(producer, name));
    assert_eq!(of("aisg", "dlp-pii-redacted")["action_id"], 4);
    assert_eq!(of("keeptrusts", "escalated")["action_id"], 3);
    let blocked = of("keeptrusts", "blocked");
    assert_eq!(blocked["policy"], json!({ "name": "pii-guard" }));
    assert!(blocked.get("ai_model").is_none(), "findings do not have the profile");
    let completed = of("systemprompt", "tool-call-completed");
    assert_eq!(completed["metadata"]["profiles"], json!(["security_control", "ai_operation"]));
    assert_eq!(completed["ai_model"], json!({ "ai_provider": "Anthropic", "name": "claude-sonnet-4-6" }));
    assert_eq!(
        (&completed["message_context"]["prompt_tokens"], &completed["message_context"]["completion_tokens"]),
        (&json!(1250), &json!(340))
    );
}

#[test]
fn users_tools_and_sessions_are_where_the_schema_has_them() {
    let activity = by_default("systemprompt", "tool-call-completed");
    assert_eq!(
        activity["actor"]["user"],
        json!({ "uid": "usr_8f3a2b1c", "name": "j.chen@acme.com", "email_addr": "j.chen@acme.com" })
    );
    assert_eq!(activity["actor"]["session"], json!({ "uid": "ses_7k2m9n4p" }));
    assert_eq!(
        activity["api"],
        json!({ "operation": "database_query", "service": { "uid": "postgres-readonly", "name": "postgres-readonly" } })
    );
    assert_eq!(activity["status_id"], 1);
    let finding = by_default("systemprompt", "tool-call-blocked");
    assert_eq!(finding["evidences"][0]["actor"]["app_name"], "Code Reviewer");
    assert_eq!(finding["resources"], json!([{ "name": "database_query", "type": "tool" }]));
    assert_eq!(finding["finding_info"]["analytic"]["name"], "department_scope_check");
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Ocsf>(&events());
}

#[test]
fn the_laws_hold_however_the_records_are_framed() {
    let events = events();
    for framing in ["one_per_request", "array", "lines"] {
        testkit::check_laws_with::<Ocsf>(&json!({ "framing": framing }).to_string(), &events);
    }
}

//! Every documented event of every producer, as Elasticsearch gets it with default settings.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_elasticsearch::Elasticsearch;
use siemaphore_producers::{Sample, contains, events, sample, samples};
use siemaphore_sdk::testkit;

fn lines(sample: &Sample) -> (Value, Value) {
    let record = testkit::configure::<Elasticsearch>("{}").unwrap().record(&sample.event);
    let lines: Vec<&str> = record.split_terminator('\n').collect();
    assert!(lines.len() == 2 && record.ends_with('\n'), "{record:?}");
    (serde_json::from_str(lines[0]).unwrap(), serde_json::from_str(lines[1]).unwrap())
}

fn document(producer: &'static str, name: &str) -> Value {
    lines(&sample(producer, name)).1
}

#[test]
fn each_documented_event_has_its_expected_record() {
    siemaphore_producers::assert_snapshots(env!("CARGO_MANIFEST_DIR"), |sample| {
        let (action, document) = lines(sample);
        json!([action, document])
    });
}

#[test]
fn every_member_of_every_document_is_below_its_producers_name() {
    for sample in samples() {
        let (_, document) = lines(&sample);
        let mut raw = sample.raw.clone();
        // A document in ECS has such a member already, and it keeps its place.
        let members = raw.as_object_mut().unwrap();
        let namesake = members.remove(sample.producer);
        // What is no object where others have one stands beside it.
        if let Some(body) = members.get("body").filter(|body| !body.is_object()).cloned() {
            members.remove("body");
            members.insert("body_value".to_owned(), body);
        }
        let own = &document[sample.producer];
        assert!(contains(own, &raw), "{}/{}: {document}", sample.producer, sample.name);
        assert!(namesake.is_none_or(|namesake| contains(own, &namesake)), "{document}");
    }
}

#[test]
fn every_event_is_created_under_its_key_with_a_time() {
    for sample in samples() {
        let (action, document) = lines(&sample);
        assert_eq!(action, json!({ "create": { "_id": sample.event.key } }));
        assert_eq!(document["@timestamp"], sample.event.timestamp);
        assert_eq!(document["event"]["hash"], sample.event.key);
    }
}

#[test]
fn aegis_keeps_its_legal_values_and_its_illegal_ones_move_aside() {
    let document = document("aegis", "preflight-blocked");
    let event = &document["event"];
    assert_eq!((&event["category"], &event["type"]), (&json!(["intrusion_detection"]), &json!(["denied"])));
    assert_eq!(
        (&event["kind"], &event["outcome"], &event["dataset"]),
        (&json!("event"), &json!("failure"), &json!("aegis.preflight"))
    );
    let own = &document["aegis"];
    assert_eq!(own["decision"], "BLOCKED", "where Aegis's page has it");
    assert_eq!(
        (&own["event"]["category"], &own["event"]["type"]),
        (&json!(["aegis", "preflight"]), &json!(["blocked"]))
    );
    assert_eq!(document["user"], json!({ "id": "actor@example.com", "email": "actor@example.com" }));
}

#[test]
fn who_what_and_why_stand_where_ecs_has_them() {
    let call = document("systemprompt", "tool-call-blocked");
    assert_eq!(call["user"], json!({ "id": "usr_8f3a2b1c", "email": "j.chen@acme.com" }));
    assert_eq!(call["rule"], json!({ "name": "department_scope_check" }));
    let gen_ai = json!({
        "request": { "model": "claude-sonnet-4-6" },
        "agent": { "id": "agt_code_reviewer", "name": "Code Reviewer" },
        "tool": { "name": "database_query" },
    });
    assert_eq!(call["gen_ai"], gen_ai);
    assert_eq!(call["labels"]["session_id"], "ses_7k2m9n4p");
    let cost = document("systemprompt", "cost-threshold-exceeded");
    assert_eq!(cost["gen_ai"]["usage"], json!({ "input_tokens": 1250, "output_tokens": 340 }));
    let blocked = document("keeptrusts", "blocked");
    assert_eq!(blocked["rule"], json!({ "name": "pii-guard", "ruleset": "pii-guard" }));
    assert_eq!(blocked["event"]["type"], json!(["denied"]));
    let pii = document("aisg", "dlp-pii-blocked");
    assert_eq!(
        (&pii["http"]["request"]["id"], &pii["labels"]["project"]),
        (&json!("req_xyz789"), &json!("proj_abc123"))
    );
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Elasticsearch>(&events());
}

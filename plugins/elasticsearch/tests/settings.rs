//! What an operator can set, what is refused where, and documents that want to be more than a document.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_elasticsearch::Elasticsearch;
use siemaphore_sdk::json::{Names, scan};
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Event, Framing, Severity};

/// The document's line.
fn text(settings: &Value, event: &Event) -> String {
    let record = testkit::configure::<Elasticsearch>(&settings.to_string()).unwrap().record(event);
    let lines: Vec<&str> = record.split_terminator('\n').collect();
    assert_eq!(lines.len(), 2, "{record:?}");
    lines[1].to_owned()
}

fn document(event: &Event) -> Value {
    serde_json::from_str(&text(&json!({}), event)).unwrap()
}

fn assert_keys_are_unique(object: &str) {
    let mut names = Names::default();
    for member in scan::members(object) {
        assert!(names.insert(member.key()), "the key {} comes twice in {object}", member.raw_key);
    }
}

#[test]
fn the_request_is_the_one_that_elasticsearch_documents() {
    let profile = testkit::configure::<Elasticsearch>("{}").unwrap().profile;
    assert_eq!(profile.path, "/logs-siemaphore.security-default/_bulk");
    assert_eq!(
        (profile.content_type.as_str(), profile.framing),
        ("application/x-ndjson", Framing::Concatenated)
    );
    assert_eq!((profile.limits.body_bytes, profile.limits.record_bytes), (5_000_000, 5_000_000));
    let (name, members) = &profile.query[0];
    assert!(name == "filter_path" && members.contains("items.*.status"), "{members}");
    let probe = profile.probe.unwrap();
    assert_eq!((probe.get, probe.path.as_str()), (true, "/_security/_authenticate"));
}

#[test]
fn the_operator_chooses_target_pipeline_and_service() {
    let settings =
        json!({ "target": "ai-{producer}-{organization}", "pipeline": "geo", "service": "opensearch" });
    let profile = testkit::configure::<Elasticsearch>(&settings.to_string()).unwrap().profile;
    assert_eq!(profile.path, "/ai-{producer}-{organization}/_bulk");
    assert!(profile.query.contains(&("pipeline".to_owned(), "geo".to_owned())));
    assert_eq!(profile.probe.unwrap().path, "/_plugins/_security/authinfo");
}

#[test]
fn five_severities_are_five_numbers_in_elastics_bands() {
    let numbers = Severity::ALL
        .map(|severity| document(&Event { severity, ..event("{}") })["event"]["severity"].clone());
    assert_eq!(numbers, [10, 21, 47, 73, 99]);
}

#[test]
fn facts_come_from_where_the_operator_says() {
    let settings = json!({ "fields": { "user_id": "/who/nr", "source_ip": "/from", "input_tokens": "/n" } });
    let found = text(&settings, &event(r#"{"who":{"nr":7},"from":"10.0.0.9","n":12}"#));
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["user"], json!({ "id": "7" }), "always a text, as ECS has it");
    assert_eq!(
        (&found["source"]["ip"], &found["gen_ai"]["usage"]["input_tokens"]),
        (&json!("10.0.0.9"), &json!(12))
    );
    let unusable = text(&settings, &event(r#"{"from":"the office","n":18446744073709551615}"#));
    let unusable: Value = serde_json::from_str(&unusable).unwrap();
    assert_eq!(
        (unusable.get("source"), unusable.get("gen_ai")),
        (None, None),
        "Elasticsearch refuses such values"
    );
}

#[test]
fn members_named_like_ours_stay_below_the_producers_name() {
    let hostile = r#"{"@timestamp":"never","event":"text","user":[1],"generic":1,"ecs":null,"labels":{"decision":"x"},"_id":"mine"}"#;
    let document = document(&event(hostile));
    assert_eq!(document["generic"], serde_json::from_str::<Value>(hostile).unwrap());
    assert_eq!(document["@timestamp"], "2026-06-08T20:15:30Z");
    assert_eq!(document["event"]["action"], "dlp.pii_blocked");
}

#[test]
fn a_producer_named_like_a_member_of_ecs_gets_another_name() {
    for (producer, member) in
        [("event", "event_document"), ("user", "user_document"), ("acme.gate", "acme_gate")]
    {
        let document = document(&Event { producer: producer.to_owned(), ..event(r#"{"a":1}"#) });
        assert_eq!(document[member], json!({ "a": 1 }), "{document}");
        assert_eq!(document["event"]["module"], producer);
    }
}

#[test]
fn a_member_named_like_its_producer_is_opened_and_loses_nothing() {
    let nested = document(&event(r#"{"generic":{"a":1,"b":2},"a":3,"original_a":4}"#));
    assert_eq!(nested["generic"], json!({ "a": 1, "b": 2, "original_original_a": 3, "original_a": 4 }));
}

#[test]
fn hostile_documents_give_valid_records() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(60), "]".repeat(60));
    let huge = format!("{{\"message\":\"{}\"}}", "é\\n".repeat(50_000));
    let documents = [
        r#"{"a":1,"a":2,"\u0061":3,"severity":"x","severity":"y"}"#,
        r#"{"generic":{"a":1,"\u0061":2},"a":1,"g\u0065neric":{"original_a":3}}"#,
        r#"{"event":{"category":[null,{},"web"],"type":"\u0065rror"},"user_id":{},"reason":7}"#,
        r#"{"":"","\u0000":1,"a.b":{"c":1},"message":"two\nlines\u2028"}"#,
        "{ }",
        &deep,
        &huge,
    ];
    let events = documents.map(event);
    testkit::check_laws::<Elasticsearch>(&events);
    for event in &events {
        let line = text(&json!({}), event);
        let parsed: Value = serde_json::from_str(&line).unwrap();
        assert!(parsed["generic"].is_object(), "{line}");
        assert_keys_are_unique(&line);
        scan::members(&line).for_each(|member| assert_keys_are_unique(member.value));
    }
}

#[test]
fn what_elasticsearch_could_not_use_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({ "target": "" }), "/target"),
        (json!({ "target": "Logs" }), "/target"),
        (json!({ "target": "_logs" }), "/target"),
        (json!({ "target": "logs/x" }), "/target"),
        (json!({ "target": "logs-*" }), "/target"),
        (json!({ "target": "logs-{project}" }), "/target"),
        (json!({ "target": "x".repeat(256) }), "/target"),
        (json!({ "pipeline": " " }), "/pipeline"),
        (json!({ "service": "solr" }), "/service"),
        (json!({ "fields": { "user_id": "who.id" } }), "/fields/user_id"),
        (json!({ "index": "logs" }), "/index"),
    ] {
        let problems = testkit::configure::<Elasticsearch>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

//! What an operator can set, what is refused where, and documents that want to be more than a document.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_logstash::Logstash;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Compression, Event, Framing};

fn text(settings: &Value, event: &Event) -> String {
    testkit::configure::<Logstash>(&settings.to_string()).unwrap().record(event)
}

fn record(settings: &Value, event: &Event) -> Value {
    serde_json::from_str(&text(settings, event)).unwrap()
}

#[test]
fn the_request_is_an_array_that_the_json_codec_reads() {
    let profile = testkit::configure::<Logstash>("{}").unwrap().profile;
    assert_eq!((profile.path.as_str(), profile.framing), ("/", Framing::JsonArray));
    assert_eq!(profile.content_type, "application/json", "else the whole body becomes one message");
    assert_eq!((profile.limits.body_bytes, profile.compression), (104_857_600, vec![Compression::Gzip]));
    assert_eq!(profile.probe, None, "whatever is asked becomes an event");
}

#[test]
fn tags_of_the_operator_come_before_the_documents() {
    let settings = json!({ "tags": ["ai", "so\"c"] });
    for (document, tags) in [
        (json!({}), json!(["ai", "so\"c"])),
        (json!({ "tags": "one" }), json!(["ai", "so\"c", "one"])),
        (json!({ "tags": ["[a]", "b"] }), json!(["ai", "so\"c", "[a]", "b"])),
        (json!({ "tags": [] }), json!(["ai", "so\"c"])),
    ] {
        let record = record(&settings, &event(&document.to_string()));
        assert_eq!((&record["tags"], record.get("original_tags")), (&tags, None), "{document}");
    }
    assert_eq!(record(&json!({}), &event("{}")).get("tags"), None);
    assert_eq!(record(&json!({}), &event(r#"{"tags":["x"]}"#))["tags"], json!(["x"]));
}

#[test]
fn what_logstash_would_trip_over_is_kept_aside() {
    let document = json!({
        "@timestamp": "yesterday", "@version": 7, "@metadata": { "a": 1 }, "tags": { "a": 1 }, "host": "gw-1",
        "http": 200, "url": "https://example.com", "user_agent": null, "event": "login", "siemaphore": [],
    });
    let record = record(&json!({}), &event(&document.to_string()));
    for (name, value) in document.as_object().unwrap() {
        assert_eq!(record.get(format!("original_{name}")), Some(value), "{name}: {record}");
    }
    for name in ["@version", "@metadata", "tags", "host", "http", "url", "user_agent", "event"] {
        assert_eq!(record.get(name), None, "{name}");
    }
    assert_eq!(record["@timestamp"], "2026-06-08T20:15:30Z");
}

#[test]
fn objects_that_logstash_can_extend_stay_where_they_are() {
    let document = json!({
        "host": { "name": "gw-1" }, "http": { "request": {} }, "url": { "path": "/" }, "user_agent": { "name": "x" },
        "event": { "action": "a" },
    });
    let record = record(&json!({}), &event(&document.to_string()));
    assert!(siemaphore_producers::contains(&record, &document), "{record}");
}

#[test]
fn facts_come_from_where_the_operator_says_and_are_short() {
    let document = json!({ "who": "x".repeat(10_000), "severity": "high" }).to_string();
    let text = text(&json!({ "fields": { "user_id": "/who" } }), &event(&document));
    let record: Value = serde_json::from_str(&text).unwrap();
    assert!(record["siemaphore"]["user_id"].as_str().unwrap().ends_with("… [truncated]"));
    assert_eq!(record["who"].as_str().unwrap().len(), 10_000, "the document's own value is whole");
    assert!(!text.contains("original_severity"), "what is the same is not kept twice");
}

#[test]
fn no_key_comes_twice_even_when_the_document_repeats_itself() {
    let deep = format!("{}1{}", r#"{"host":"#.repeat(60), "}".repeat(60));
    let documents = [
        r#"{"a":1,"a":2,"\u0061":3,"severity":"x","severity":"y"}"#,
        r#"{"h\u006fst":"x","host":"y","original_host":1,"original_original_host":2}"#,
        r#"{"tags":["a",1],"tags":["b"],"\u0040timestamp":1}"#,
        &deep,
        "{ }",
    ];
    testkit::check_laws::<Logstash>(&documents.map(event));
    assert_eq!(record(&json!({}), &event(documents[0]))["a"], 3);
}

#[test]
fn what_logstash_could_not_use_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({ "tags": ["a", ""] }), "/tags/1"),
        (json!({ "tags": "a" }), "/tags"),
        (json!({ "fields": { "user_id": "user.id" } }), "/fields/user_id"),
        (json!({ "codec": "json" }), "/codec"),
    ] {
        let problems = testkit::configure::<Logstash>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

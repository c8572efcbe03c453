//! What an operator can set and what is refused where.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_webhook::Webhook;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Compression, Framing, Method, RequestProfile};

fn profile(settings: &Value) -> RequestProfile {
    testkit::configure::<Webhook>(&settings.to_string()).unwrap().profile
}

#[test]
fn a_request_is_one_plain_event_unless_told_otherwise() {
    let profile = profile(&json!({}));
    assert_eq!((profile.method, profile.path.as_str()), (Method::Post, "/"));
    assert_eq!(
        (profile.framing, profile.content_type.as_str()),
        (Framing::OnePerRequest, "application/json")
    );
    assert_eq!((profile.limits.records, profile.limits.body_bytes), (1, 1_000_000));
    assert_eq!(profile.compression, [], "a signature may be checked after decompression");
    assert_eq!(profile.probe, None);
}

#[test]
fn the_request_is_what_the_operator_says() {
    let profile = profile(&json!({
        "path": "/in/{organization}", "method": "put", "content_type": "application/vnd.acme+json", "gzip": true,
        "headers": { "X-Source": "ai", "X-Tenant": "{organization}" }, "framing": "lines",
        "max_records": 50, "max_body_bytes": 20_000,
    }));
    assert_eq!((profile.method, profile.path.as_str()), (Method::Put, "/in/{organization}"));
    assert_eq!(
        (profile.framing, profile.content_type.as_str()),
        (Framing::Newline, "application/vnd.acme+json")
    );
    let limits = (profile.limits.records, profile.limits.body_bytes, profile.limits.record_bytes);
    assert_eq!(limits, (50, 20_000, 20_000));
    assert_eq!(profile.compression, [Compression::Gzip]);
    let headers = [("X-Source", "ai"), ("X-Tenant", "{organization}")];
    assert_eq!(profile.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn the_content_type_follows_the_framing() {
    for (framing, expected, content_type) in [
        ("array", Framing::JsonArray, "application/json"),
        ("lines", Framing::Newline, "application/x-ndjson"),
        ("one_per_request", Framing::OnePerRequest, "application/json"),
    ] {
        let profile = profile(&json!({ "framing": framing }));
        assert_eq!((profile.framing, profile.content_type.as_str()), (expected, content_type));
    }
}

#[test]
fn hostile_documents_are_carried_as_they_are() {
    let documents = [
        r#"{"key":"mine","document":1,"document":2,"a":"\u0000\ud83d\ude00"}"#.to_owned(),
        format!(r#"{{"deep":{}1{}}}"#, "[".repeat(60), "]".repeat(60)),
        format!(r#"{{"text":"{}"}}"#, "\\\"".repeat(100_000)),
        "{ }".to_owned(),
    ];
    let events = documents.map(|document| event(&document));
    testkit::check_laws::<Webhook>(&events);
    let configured = testkit::configure::<Webhook>("{}").unwrap();
    for event in &events {
        let record: Value = serde_json::from_str(&configured.record(event)).unwrap();
        assert_eq!(record["key"], "00112233445566778899aabbccddeeff");
        assert!(
            configured.record(event).contains(&event.document),
            "the document is not the producer's own text"
        );
    }
}

#[test]
fn what_cannot_be_used_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({ "body": "envelope", "template": "{}" }), "/body"),
        (json!({ "body": "raw" }), "/body"),
        (json!({ "path": "in" }), "/path"),
        (json!({ "method": "get" }), "/method"),
        (json!({ "content_type": "" }), "/content_type"),
        (json!({ "content_type": "a\nb" }), "/content_type"),
        (json!({ "headers": { "X Source": "ai" } }), "/headers/X Source"),
        (json!({ "headers": { "Content-Type": "text/plain" } }), "/headers/Content-Type"),
        (json!({ "headers": { "X-Source": "ä" } }), "/headers/X-Source"),
        (json!({ "headers": { "X-Source": 7 } }), "/headers/X-Source"),
        (json!({ "framing": "newline" }), "/framing"),
        (json!({ "max_records": 0 }), "/max_records"),
        (json!({ "max_body_bytes": 999 }), "/max_body_bytes"),
        (json!({ "max_body_bytes": 16_777_217 }), "/max_body_bytes"),
        (json!({ "fields": { "policy": "policy" } }), "/fields/policy"),
        (json!({ "template": "" }), "/template"),
        (json!({ "url": "https://example.com" }), "/url"),
    ] {
        let problems = testkit::configure::<Webhook>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}: {problems:?}");
    }
}

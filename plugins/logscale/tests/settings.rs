//! What an operator can set, what is refused where, and documents that want to be more than a document.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_logscale::LogScale;
use siemaphore_sdk::Framing;
use siemaphore_sdk::testkit::{self, event};

#[test]
fn the_request_is_the_one_that_logscale_documents() {
    let profile = testkit::configure::<LogScale>("{}").unwrap().profile;
    assert_eq!((profile.path.as_str(), profile.framing), ("/services/collector", Framing::Newline));
    assert_eq!(
        (profile.limits.records, profile.limits.body_bytes, profile.limits.record_bytes),
        (1_000, 5_000_000, 1_000_000)
    );
    assert_eq!(profile.probe, None, "nothing harmless says whether the token is right");
}

#[test]
fn the_operator_chooses_path_parser_and_places() {
    let settings = json!({
        "path": "/api/v1/ingest/hec", "sourcetype": "siemaphore", "fields": { "user_id": "/who" },
    });
    let configured = testkit::configure::<LogScale>(&settings.to_string()).unwrap();
    assert_eq!(configured.profile.path, "/api/v1/ingest/hec");
    let record: Value = serde_json::from_str(&configured.record(&event(r#"{"who":7}"#))).unwrap();
    assert_eq!((&record["sourcetype"], &record["event"]["user"]["id"]), (&json!("siemaphore"), &json!("7")));
    let plain = testkit::configure::<LogScale>("{}").unwrap().record(&event("{}"));
    assert!(!plain.contains("sourcetype"), "the token's parser decides: {plain}");
}

#[test]
fn hostile_documents_give_valid_records() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(60), "]".repeat(60));
    let documents = [
        r#"{"a":1,"a":2,"time":"never","event":"text","host":{},"generic":{"time":1}}"#,
        r#"{"":"","\u0000":1,"a.b":{"c":1},"message":"two\nlines\u2028"}"#,
        "{ }",
        &deep,
    ];
    let events = documents.map(event);
    testkit::check_laws::<LogScale>(&events);
    let configured = testkit::configure::<LogScale>("{}").unwrap();
    let record: Value = serde_json::from_str(&configured.record(&events[0])).unwrap();
    assert_eq!((&record["time"], &record["host"]), (&json!(1_780_949_730.0), &json!("gateway")));
    assert_eq!(record["event"]["generic"]["event"], "text");
}

#[test]
fn what_logscale_could_not_use_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({ "path": "/services/collector/raw" }), "/path"),
        (json!({ "sourcetype": "" }), "/sourcetype"),
        (json!({ "fields": { "user_id": "who" } }), "/fields/user_id"),
        (json!({ "index": "main" }), "/index"),
    ] {
        let problems = testkit::configure::<LogScale>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

//! What an operator can set, and what is refused where.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_splunk::Splunk;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Compression, Event, Framing, Method, Severity};

fn record(settings: &Value, event: &Event) -> Value {
    serde_json::from_str(&testkit::configure::<Splunk>(&settings.to_string()).unwrap().record(event)).unwrap()
}

fn pointers(settings: &Value) -> Vec<String> {
    let problems = testkit::configure::<Splunk>(&settings.to_string()).unwrap_err();
    problems.into_iter().map(|problem| problem.pointer).collect()
}

#[test]
fn the_request_is_the_one_that_hec_documents() {
    let profile = testkit::configure::<Splunk>("{}").unwrap().profile;
    assert_eq!((profile.method, profile.path.as_str()), (Method::Post, "/services/collector/event"));
    assert_eq!(profile.framing, Framing::Concatenated);
    assert_eq!((profile.limits.records, profile.limits.body_bytes), (1_000, 1_000_000));
    assert_eq!(profile.compression, [Compression::Gzip], "HEC takes nothing else");
    let probe = profile.probe.unwrap();
    assert_eq!((probe.get, probe.path.as_str(), probe.body.len()), (true, "/services/collector/health", 0));
}

#[test]
fn metadata_and_fields_are_the_operators() {
    let settings = json!({
        "host": "gw\"1", "source": "s", "sourcetype": "t", "index": "ai_events-2",
        "fields": { "environment": "production", "team": "a\\b" },
    });
    let record = record(&settings, &event(r#"{"a":1}"#));
    assert_eq!(record["host"], "gw\"1");
    assert_eq!(
        (&record["source"], &record["sourcetype"], &record["index"]),
        (&json!("s"), &json!("t"), &json!("ai_events-2"))
    );
    assert_eq!(
        (&record["fields"]["environment"], &record["fields"]["team"]),
        (&json!("production"), &json!("a\\b"))
    );
}

#[test]
fn an_empty_index_leaves_the_choice_to_the_token() {
    let aisg = Event { producer: "aisg".to_owned(), ..event("{}") };
    assert_eq!(record(&json!({}), &aisg)["index"], "main");
    assert_eq!(record(&json!({ "index": "" }), &aisg).get("index"), None);
}

#[test]
fn levels_follow_splunks_alerts_when_asked_to() {
    let levels = |settings: Value| {
        Severity::ALL.map(|severity| {
            record(&settings, &Event { severity, ..event("{}") })["fields"]["severity_id"].clone()
        })
    };
    assert_eq!(levels(json!({})), [2, 3, 4, 5, 6]);
    assert_eq!(levels(json!({ "severity_levels": "alert" })), [2, 3, 3, 5, 6]);
}

#[test]
fn indexed_fields_can_be_left_out() {
    let settings = json!({ "indexed_fields": {
        "severity": false, "severity_id": false, "event_type": false, "event_key": false,
        "organization": false, "project": false, "producer": false,
    } });
    assert_eq!(record(&settings, &event("{}"))["fields"], json!({}));
}

#[test]
fn what_splunk_would_refuse_is_refused_here_where_it_stands() {
    for (settings, expected) in [
        (json!({ "index": "_internal" }), "/index"),
        (json!({ "index": "Main" }), "/index"),
        (json!({ "index": "a b" }), "/index"),
        (json!({ "sourcetype": " " }), "/sourcetype"),
        (json!({ "fields": { "severity": "x" } }), "/fields/severity"),
        (json!({ "fields": { "": "x" } }), "/fields/"),
        (json!({ "fields": { "a/b": ["x"] } }), "/fields/a~1b"),
        (json!({ "severity_levels": "seven" }), "/severity_levels"),
        (json!({ "sorcetype": "x" }), "/sorcetype"),
        (json!([]), ""),
    ] {
        assert_eq!(pointers(&settings), [expected], "{settings}");
    }
    assert_eq!(pointers(&json!({ "host": "", "index": "-" })), ["/host", "/index"], "all at once");
}

#[test]
fn hostile_texts_stay_inside_their_strings() {
    let hostile = "\"}\u{0}\n\\,\"index\":\"_internal";
    let event = Event {
        event_type: hostile.to_owned(),
        source: hostile.to_owned(),
        producer: hostile.to_owned(),
        project: Some(hostile.to_owned()),
        ..event(r#"{"index":"x"}"#)
    };
    let record = record(&json!({}), &event);
    assert_eq!(record.get("index"), None);
    assert_eq!((&record["host"], &record["fields"]["project"]), (&json!(hostile), &json!(hostile)));
    testkit::check_laws::<Splunk>(&[event]);
}

//! What an operator can set, what is refused where, and documents that want to be more than a document.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Map, Value, json};
use siemaphore_formatter_loki::Loki;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Event, Framing, Severity, TooOld};

fn record(settings: &Value, event: &Event) -> Value {
    let text = testkit::configure::<Loki>(&settings.to_string()).unwrap().record(event);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_request_is_the_one_that_loki_documents() {
    let configured = testkit::configure::<Loki>("{}").unwrap();
    let profile = &configured.profile;
    assert_eq!((profile.path.as_str(), profile.limits.body_bytes), ("/loki/api/v1/push", 4_000_000));
    let window = profile.replay_window.unwrap();
    assert_eq!((window.max_age_s, window.effect), (604_800, TooOld::Dropped));
    assert_eq!((profile.headers.len(), &profile.probe), (0, &None));
    let Framing::Enclosed(enclosure) = &profile.framing else { panic!("not enclosed") };
    let [prefix, separator, suffix] = [&enclosure.prefix, &enclosure.separator, &enclosure.suffix]
        .map(|part| String::from_utf8(part.clone()).unwrap());
    let record = configured.record(&event("{}"));
    let body: Value = serde_json::from_str(&format!("{prefix}{record}{separator}{record}{suffix}")).unwrap();
    assert_eq!(body["streams"].as_array().unwrap().len(), 2);
}

#[test]
fn tenant_and_age_are_those_of_this_loki() {
    let settings = json!({ "tenant": "soc-{organization}", "max_age_hours": 336 }).to_string();
    let profile = testkit::configure::<Loki>(&settings).unwrap().profile;
    assert_eq!(profile.headers, [("X-Scope-OrgID".to_owned(), "soc-{organization}".to_owned())]);
    assert_eq!(profile.replay_window.unwrap().max_age_s, 336 * 3_600);
    let of_any_age = testkit::configure::<Loki>(r#"{"max_age_hours":0}"#).unwrap().profile;
    assert_eq!(of_any_age.replay_window, None);
}

#[test]
fn labels_are_those_that_the_operator_names() {
    let settings = json!({
        "labels": { "app": "gw", "env": "pro\"d" },
        "event_labels": ["severity", "event_type", "source", "project"],
    });
    let of_project = Event { project: Some("p".to_owned()), ..event("{}") };
    let record = record(&settings, &of_project);
    assert_eq!(
        record["stream"],
        json!({
            "app": "gw", "env": "pro\"d", "severity": "high", "event_type": "dlp.pii_blocked", "source": "gateway",
            "project": "p",
        })
    );
    let metadata = record["values"][0][2].as_object().unwrap();
    assert!(["severity", "event_type", "source", "project"].iter().all(|name| !metadata.contains_key(*name)));
    assert_eq!(metadata["producer"], "generic");
    let without = self::record(&settings, &event("{}"));
    assert_eq!(without["stream"].get("project"), None, "Loki drops a label without a value");
}

#[test]
fn five_severities_are_levels() {
    let levels = Severity::ALL
        .map(|severity| record(&json!({}), &Event { severity, ..event("{}") })["stream"]["level"].clone());
    assert_eq!(levels, ["info", "info", "warn", "error", "critical"]);
}

#[test]
fn structured_metadata_can_be_left_out() {
    let record = record(&json!({ "structured_metadata": false }), &event(r#"{"a":1}"#));
    assert_eq!(record["values"], json!([["1780949730000000000", r#"{"a":1}"#]]));
}

#[test]
fn facts_come_from_where_the_operator_says_and_are_texts() {
    let event = event(r#"{"who":{"nr":7},"ok":true,"user_email":{"not":"a text"}}"#);
    let settings = json!({ "fields": { "user_id": "/who/nr", "outcome": "/ok" } });
    let metadata = &record(&settings, &event)["values"][0][2];
    assert_eq!((&metadata["user_id"], &metadata["outcome"]), (&json!("7"), &json!("true")));
    assert_eq!(metadata.get("user_email"), None);
}

#[test]
fn the_longest_line_that_there_is_fits() {
    let document = json!({ "text": "\\".repeat((262_144 - 11) / 2) }).to_string();
    assert!((262_142..=262_144).contains(&document.len()), "{}", document.len());
    let configured = testkit::configure::<Loki>("{}").unwrap();
    let text = configured.record(&event(&document));
    assert!(text.len() <= configured.profile.limits.record_bytes as usize, "{}", text.len());
    let record: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["values"][0][1], document);
}

#[test]
fn what_is_searched_by_is_kept_short() {
    let event_type = "x".repeat(5_000);
    let event = Event {
        event_type: event_type.clone(),
        ..event(&json!({ "message": "é".repeat(9_000), "user_id": "\u{1}".repeat(5_000) }).to_string())
    };
    let shown = record(&json!({}), &event);
    for name in ["reason", "user_id", "event_type"] {
        let value = shown["values"][0][2][name].as_str().unwrap();
        assert!(value.len() < 1_100 && value.ends_with("… [truncated]"), "{name}: {}", value.len());
    }
    let labelled = record(&json!({ "event_labels": ["event_type"] }), &event);
    assert_eq!(labelled["stream"]["event_type"].as_str().unwrap().len(), 2_048);
}

#[test]
fn documents_that_look_like_loki_are_lines_all_the_same() {
    let documents = [
        r#"{"stream":{"level":"x"},"values":[["1","x"]],"level":"y","level":"z"}"#,
        r#"{"event_key":"x","producer":{"a":1},"user_id":[],"\u0075ser_id":"u"}"#,
        "{ }",
    ];
    testkit::check_laws::<Loki>(&documents.map(event));
    let record = record(&json!({}), &event(documents[1]));
    assert_eq!(record["values"][0][1], documents[1]);
    assert_eq!(record["values"][0][2]["event_key"], "00112233445566778899aabbccddeeff");
}

#[test]
fn a_fixed_label_is_not_repeated_as_metadata() {
    let settings = json!({ "labels": { "user_id": "all", "event_key": "none" } });
    let metadata = record(&settings, &event(r#"{"user_id":"u"}"#))["values"][0][2].clone();
    assert_eq!((metadata.get("user_id"), metadata.get("event_key")), (None, None));
}

#[test]
fn what_loki_would_refuse_is_refused_where_it_stands() {
    let many: Map<String, Value> = (0..13).map(|number| (format!("a{number}"), json!("x"))).collect();
    for (settings, expected) in [
        (json!({ "tenant": "" }), "/tenant"),
        (json!({ "tenant": "a\nb" }), "/tenant"),
        (json!({ "labels": {} }), "/labels"),
        (json!({ "labels": many }), "/labels"),
        (json!({ "labels": { "service.name": "x" } }), "/labels/service.name"),
        (json!({ "labels": { "1a": "x" } }), "/labels/1a"),
        (json!({ "labels": { "a": "" } }), "/labels/a"),
        (json!({ "labels": { "a": "x".repeat(2_049) } }), "/labels/a"),
        (json!({ "labels": { "level": "x" } }), "/labels/level"),
        (json!({ "event_labels": ["level", "level"] }), "/event_labels/1"),
        (json!({ "event_labels": ["user_id"] }), "/event_labels/0"),
        (json!({ "max_age_hours": -1 }), "/max_age_hours"),
        (json!({ "fields": { "user_id": "user.id" } }), "/fields/user_id"),
        (json!({ "stream": "x" }), "/stream"),
    ] {
        let problems = testkit::configure::<Loki>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

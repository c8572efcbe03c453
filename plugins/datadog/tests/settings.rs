//! What an operator can set, what is refused where, and documents that want to be more than a document.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_datadog::Datadog;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Event, Framing, Severity, TooOld};

fn record(settings: &Value, event: &Event) -> Value {
    serde_json::from_str(&text(settings, event)).unwrap()
}

fn text(settings: &Value, event: &Event) -> String {
    testkit::configure::<Datadog>(&settings.to_string()).unwrap().record(event)
}

#[test]
fn the_request_is_the_one_that_datadog_documents() {
    let profile = testkit::configure::<Datadog>("{}").unwrap().profile;
    assert_eq!((profile.path.as_str(), profile.framing), ("/api/v2/logs", Framing::JsonArray));
    assert_eq!(
        (profile.limits.records, profile.limits.body_bytes, profile.limits.record_bytes),
        (1_000, 5_000_000, 1_000_000)
    );
    let window = profile.replay_window.unwrap();
    assert_eq!((window.max_age_s, window.effect), (64_800, TooOld::Dropped));
    assert_eq!(profile.probe, None, "nothing on this host can be asked without storing a log");
}

#[test]
fn the_operators_words_replace_the_defaults() {
    let settings = json!({
        "ddsource": "ai", "hostname": "h", "service": "s", "environment": "staging", "tags": ["team:soc", "tier:1"],
    });
    let record = record(&settings, &event("{}"));
    let expected = json!({ "ddsource": "ai", "hostname": "h", "service": "s", "ddtags": "env:staging,service:s,team:soc,tier:1" });
    assert!(expected.as_object().unwrap().iter().all(|(key, value)| &record[key] == value), "{record}");
    let untagged = self::record(&json!({ "environment": "" }), &event("{}"));
    assert_eq!(untagged["ddtags"], "service:generic");
}

#[test]
fn attributes_come_from_where_the_operator_says() {
    let document = r#"{"who":{"mail":"a@example.com","nr":7},"did":"x","ok":true,"deep":{"er":{}}}"#;
    let settings = json!({ "attributes": {
        "usr_email": "/who/mail", "usr_id": "/who/nr", "evt_name": "/did", "evt_outcome": "/ok",
    } });
    let mapped = record(&settings, &event(document));
    assert_eq!(mapped["usr"], json!({ "email": "a@example.com", "id": 7 }));
    assert_eq!(mapped["evt"], json!({ "name": "x", "outcome": true }));
    let settings = json!({ "attributes": { "usr_id": "/deep/er", "evt_name": "/nowhere" } });
    let unmapped = record(&settings, &event(document));
    assert_eq!((unmapped.get("usr"), &unmapped["evt"]), (None, &json!({ "name": "dlp.pii_blocked" })));
}

#[test]
fn five_severities_are_five_statuses() {
    let statuses = Severity::ALL
        .map(|severity| record(&json!({}), &Event { severity, ..event("{}") })["status"].clone());
    assert_eq!(statuses, ["info", "notice", "warn", "error", "critical"]);
}

#[test]
fn reserved_attributes_win_and_the_documents_own_values_are_kept_aside() {
    let document = r#"{"status":"blocked","service":{"a":1},"ddtags":["x"],"hostname":null,"ddsource":1,
        "timestamp":"yesterday","message":7,"original_status":"old"}"#;
    let record = record(&json!({}), &event(document));
    assert_eq!(
        (&record["status"], &record["original_original_status"]),
        (&json!("error"), &json!("blocked"))
    );
    assert_eq!(record["original_status"], "old");
    assert_eq!((&record["service"], &record["original_service"]), (&json!("generic"), &json!({ "a": 1 })));
    assert_eq!(
        (&record["timestamp"], &record["original_timestamp"]),
        (&json!("2026-06-08T20:15:30Z"), &json!("yesterday"))
    );
    assert_eq!((&record["message"], &record["original_message"]), (&json!("dlp.pii_blocked"), &json!(7)));
    assert_eq!(record["original_ddtags"], json!(["x"]));
}

#[test]
fn the_documents_own_message_is_the_message() {
    let text = text(&json!({}), &event(r#"{"message":"PII \"found\""}"#));
    assert_eq!(text.matches("message").count(), 1, "{text}");
    assert!(text.contains(r#""message":"PII \"found\"""#), "{text}");
}

#[test]
fn a_document_that_speaks_datadogs_language_is_left_alone() {
    let record =
        record(&json!({}), &event(r#"{"usr":{"name":"x"},"evt":{"name":"login"},"user":{"id":"u"}}"#));
    assert_eq!((&record["usr"], &record["evt"]), (&json!({ "name": "x" }), &json!({ "name": "login" })));
}

#[test]
fn no_key_comes_twice_even_when_the_document_repeats_itself() {
    let documents = [
        r#"{"a":1,"a":2,"\u0061":3,"severity":"x","severity":"y"}"#,
        r#"{"st\u0061tus":"x","status":"y","original_status":1,"original_status":2}"#,
        r#"{"usr":{},"\u0075sr":[],"evt":1,"event_key":"x","timestamp":"2026-06-08T20:15:30Z","timestamp":"2026-06-08T20:15:30.000Z"}"#,
        "{ }",
    ];
    testkit::check_laws::<Datadog>(&documents.map(event));
    assert_eq!(record(&json!({}), &event(documents[0]))["a"], 3);
}

#[test]
fn a_comma_in_a_project_does_not_begin_another_tag() {
    let event = Event { project: Some("a,env:fake".to_owned()), ..event("{}") };
    assert_eq!(record(&json!({}), &event)["ddtags"], "env:production,service:a_env:fake");
}

#[test]
fn what_datadog_could_not_use_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({ "tags": ["a:b", "c,d"] }), "/tags/1"),
        (json!({ "tags": vec!["a:b"; 99] }), "/tags"),
        (json!({ "tags": "a:b" }), "/tags"),
        (json!({ "environment": "two words" }), "/environment"),
        (json!({ "service": "" }), "/service"),
        (json!({ "attributes": { "usr_email": "identity.email" } }), "/attributes/usr_email"),
        (json!({ "attributes": { "email": "/x" } }), "/attributes/email"),
        (json!({ "site": "datadoghq.eu" }), "/site"),
    ] {
        let problems = testkit::configure::<Datadog>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

//! What an operator can set, what is refused where, PagerDuty's limits, and documents that want to be more than that.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_pagerduty::PagerDuty;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Event, Framing, Severity};

fn text(settings: &Value, event: &Event) -> String {
    testkit::configure::<PagerDuty>(&settings.to_string()).unwrap().record(event)
}

fn alert(settings: &Value, event: &Event) -> Value {
    serde_json::from_str(&text(settings, event)).unwrap()
}

fn summary(document: &str) -> String {
    alert(&json!({}), &event(document))["payload"]["summary"].as_str().unwrap().to_owned()
}

fn dedup_key(alert_per: &Value, event: &Event) -> String {
    alert(&json!({ "alert_per": alert_per }), event)["dedup_key"].as_str().unwrap().to_owned()
}

#[test]
fn the_request_is_the_one_that_pagerduty_documents() {
    let profile = testkit::configure::<PagerDuty>("{}").unwrap().profile;
    assert_eq!((profile.path.as_str(), profile.framing), ("/v2/enqueue", Framing::OnePerRequest));
    assert_eq!((profile.limits.records, profile.limits.body_bytes), (1, 512_000));
    assert_eq!(profile.compression, [], "the host has to write into the body");
    assert_eq!((profile.headers.len(), profile.probe), (0, None), "a probe would call somebody");
}

#[test]
fn severities_are_the_four_that_pagerduty_knows() {
    for (severity, expected) in
        Severity::ALL.into_iter().zip(["info", "info", "warning", "error", "critical"])
    {
        let alert = alert(&json!({}), &Event { severity, ..event("{}") });
        assert_eq!(alert["payload"]["severity"], expected);
        assert_eq!(alert["payload"]["custom_details"]["severity"], severity.as_str());
    }
}

#[test]
fn a_long_summary_is_cut_and_still_says_who_it_was() {
    let long = summary(&json!({ "reason": "é".repeat(5_000), "user_id": "u1" }).to_string());
    assert!(long.chars().count() == 1_024 && long.ends_with("é… (user u1)"), "{long}");
    let longest = summary(&json!({ "reason": "r".repeat(5_000), "user_id": "é".repeat(5_000) }).to_string());
    assert_eq!(longest.chars().count(), 1_024);
}

#[test]
fn group_and_component_are_the_nearest_that_the_event_names() {
    let plain = alert(&json!({}), &event("{}"));
    assert_eq!(
        (&plain["payload"]["group"], &plain["payload"]["component"]),
        (&json!("acme"), &json!("generic"))
    );
    let named = Event { project: Some("p1".to_owned()), ..event(r#"{"agent_name":"helper"}"#) };
    let named = alert(&json!({}), &named);
    assert_eq!(
        (&named["payload"]["group"], &named["payload"]["component"]),
        (&json!("p1"), &json!("helper"))
    );
}

#[test]
fn an_alert_names_its_origin() {
    let plain = alert(&json!({}), &event("{}"));
    assert_eq!((&plain["client"], plain.get("client_url")), (&json!("Siemaphore"), None));
    let named = alert(&json!({ "client": "SOC", "client_url": "https://soc.acme.com/?a=b" }), &event("{}"));
    assert_eq!(
        (&named["client"], &named["client_url"]),
        (&json!("SOC"), &json!("https://soc.acme.com/?a=b"))
    );
}

#[test]
fn events_share_an_alert_when_they_agree_in_what_the_operator_names() {
    let [one, again, other] =
        [r#"{"user_id":"u1","n":1}"#, r#"{"n":2,"user_id":"u1"}"#, r#"{"user_id":"u2"}"#].map(event);
    assert_eq!(dedup_key(&json!([]), &one), one.key);
    let by_user = json!(["event_type", "user_id"]);
    assert_eq!(dedup_key(&by_user, &one), r#"["acme","dlp.pii_blocked","u1"]"#);
    assert_eq!(dedup_key(&by_user, &one), dedup_key(&by_user, &again));
    assert_ne!(dedup_key(&by_user, &one), dedup_key(&by_user, &other));
    let elsewhere = Event { organization: "globex".to_owned(), ..one.clone() };
    assert_ne!(dedup_key(&by_user, &one), dedup_key(&by_user, &elsewhere));
    let all = json!(["severity", "source", "producer", "project", "decision", "tool"]);
    assert_eq!(dedup_key(&all, &one), r#"["acme","high","gateway","generic","","blocked",""]"#);
}

#[test]
fn a_shared_key_is_never_longer_than_pagerduty_takes() {
    let document = json!({ "user_id": "\"é\n".repeat(60_000) }).to_string();
    let key = dedup_key(&json!(["user_id"]), &event(&document));
    assert!(key.len() <= 255, "{}", key.len());
}

#[test]
fn the_largest_event_stays_within_the_limit() {
    const KIB: usize = 1024;
    // Every fact is the largest value that a document can have.
    let facts: Value = siemaphore_sdk::facts::Fact::ALL
        .map(|fact| (fact.name().to_owned(), json!("/text")))
        .into_iter()
        .collect();
    let document = json!({ "text": "\u{1}".repeat(255 * KIB / "\\u0001".len()) }).to_string();
    let huge = Event {
        event_type: "\"".repeat(255 * KIB),
        project: Some("\"".repeat(255 * KIB)),
        ..event(&document)
    };
    let text = text(&json!({ "fields": facts, "alert_per": ["event_type"] }), &huge);
    assert!(text.len() < 400 * KIB, "{}", text.len());
    assert!(serde_json::from_str::<Value>(&text).is_ok());
}

#[test]
fn no_key_comes_twice_even_when_the_document_repeats_itself() {
    let deep = format!("{}1{}", r#"{"payload":"#.repeat(60), "}".repeat(60));
    let documents = [
        r#"{"a":1,"a":2,"\u0061":3,"severity":"x","severity":"y"}"#,
        r#"{"routing_key":"mine","dedup_key":1,"payload":{"summary":7},"document":null,"event_key":[]}"#,
        r#"{"user":[],"user_id":{},"tool":null,"reason":{"a":[{"b":1}]},"decision":7}"#,
        &deep,
        "{ }",
    ];
    testkit::check_laws::<PagerDuty>(&documents.map(event));
    let repeated = text(&json!({}), &event(documents[0]));
    assert!(repeated.ends_with(r#""document":{"a":3,"severity":"y"}}}}"#), "{repeated}");
    let hostile = alert(&json!({}), &event(documents[1]));
    assert_eq!(hostile.get("routing_key"), None, "that is the host's to write");
    assert_eq!(hostile["dedup_key"], "00112233445566778899aabbccddeeff");
}

#[test]
fn what_pagerduty_could_not_use_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({ "client": " " }), "/client"),
        (json!({ "client_url": "soc.acme.com" }), "/client_url"),
        (json!({ "client_url": "https://soc acme" }), "/client_url"),
        (json!({ "client_url": "https://" }), "/client_url"),
        (json!({ "alert_per": ["event_type", "user"] }), "/alert_per/1"),
        (json!({ "alert_per": "event_type" }), "/alert_per"),
        (json!({ "fields": { "user_id": "user.id" } }), "/fields/user_id"),
        (json!({ "routing_key": "x" }), "/routing_key"),
    ] {
        let problems = testkit::configure::<PagerDuty>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
    let problems = testkit::configure::<PagerDuty>(r#"{"alert_per":["user"]}"#).unwrap_err();
    assert!(problems[0].message.contains("user_id"), "the names are listed: {}", problems[0].message);
}

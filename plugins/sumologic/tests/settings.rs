//! What an operator can set, what is refused where, and documents that want to be more than a document.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_sumologic::SumoLogic;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Compression, Event, Framing};

fn text(settings: &Value, event: &Event) -> String {
    testkit::configure::<SumoLogic>(&settings.to_string()).unwrap().record(event)
}

fn record(settings: &Value, event: &Event) -> Value {
    serde_json::from_str(&text(settings, event)).unwrap()
}

#[test]
fn the_request_is_the_one_that_sumo_logic_documents() {
    let profile = testkit::configure::<SumoLogic>("{}").unwrap().profile;
    assert_eq!(
        (profile.path.as_str(), profile.framing),
        ("/", Framing::Newline),
        "the endpoint is the whole URL"
    );
    assert_eq!((profile.limits.body_bytes, profile.limits.record_bytes), (1_000_000, 65_536));
    assert_eq!(profile.compression, [Compression::Zstd, Compression::Gzip, Compression::Deflate]);
    assert_eq!((profile.headers.len(), profile.probe), (0, None));
}

#[test]
fn the_sources_words_are_replaced_by_headers() {
    let settings = json!({
        "category": "security/{producer}", "host": "gw", "name": "ai", "sumo_fields": { "team": "soc", "env": "prod" },
    });
    let profile = testkit::configure::<SumoLogic>(&settings.to_string()).unwrap().profile;
    let headers: Vec<_> =
        profile.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("X-Sumo-Category", "security/{producer}"),
        ("X-Sumo-Host", "gw"),
        ("X-Sumo-Name", "ai"),
        ("X-Sumo-Fields", "env=prod,team=soc"),
    ];
    assert_eq!(headers, expected);
}

#[test]
fn facts_come_from_where_the_operator_says() {
    let event = event(r#"{"who":{"mail":"a@example.com"},"did":"stopped"}"#);
    let settings = json!({ "fields": { "user_email": "/who/mail", "outcome": "/did" } });
    let record = record(&settings, &event);
    assert_eq!(record["siemaphore"]["user_email"], "a@example.com");
    assert_eq!(record["siemaphore"]["outcome"], "stopped");
}

#[test]
fn what_the_envelope_says_wins_and_the_documents_own_values_are_kept_aside() {
    let document = r#"{"severity":{"a":1},"event_key":7,"siemaphore":"x","timestamp":"yesterday","event_type":null,
        "original_severity":"old"}"#;
    let record = record(&json!({}), &event(document));
    assert_eq!(
        (&record["severity"], &record["original_original_severity"]),
        (&json!("high"), &json!({ "a": 1 }))
    );
    assert_eq!(record["original_severity"], "old");
    assert_eq!(
        (&record["event_key"], &record["original_event_key"]),
        (&json!("00112233445566778899aabbccddeeff"), &json!(7))
    );
    assert_eq!(
        (&record["timestamp"], &record["original_timestamp"]),
        (&json!("2026-06-08T20:15:30.000Z"), &json!("yesterday"))
    );
    assert_eq!(
        (&record["siemaphore"]["producer"], &record["original_siemaphore"]),
        (&json!("generic"), &json!("x"))
    );
    assert_eq!(record["original_event_type"], Value::Null);
}

#[test]
fn what_the_document_repeats_is_not_kept_twice() {
    let text = text(
        &json!({}),
        &event(r#"{"timestamp":"2026-06-08T20:15:30Z","severity":"high","event_type":"dlp.pii_blocked"}"#),
    );
    assert!(!text.contains("original_"), "{text}");
}

#[test]
fn an_event_that_would_be_sliced_is_shortened_until_it_is_whole() {
    for bytes in [60_000, 66_000, 250_000] {
        let document = json!({ "user_id": "u", "text": "\n".repeat(bytes / 2), "list": vec![7; bytes / 50] })
            .to_string();
        let text = text(&json!({}), &event(&document));
        assert!(text.len() <= 65_536, "{bytes}: {}", text.len());
        let record: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(record["siemaphore"]["user_id"], "u");
        assert_eq!(record["text"].as_str().unwrap().ends_with("… [truncated]"), bytes > 60_000, "{bytes}");
    }
}

#[test]
fn an_event_with_too_many_members_is_rejected_with_its_size() {
    let members: Vec<String> = (0..10_000).map(|number| format!("\"key{number}\":{number}")).collect();
    let configured = testkit::configure::<SumoLogic>("{}").unwrap();
    let records = configured.records(&[event(&format!("{{{}}}", members.join(","))), event("{}")]);
    let reason = records[0].as_ref().unwrap_err();
    assert!(reason.ends_with("Sumo Logic slices what is over 65536"), "{reason}");
    assert!(records[1].is_ok(), "the next event is not touched");
}

#[test]
fn no_key_comes_twice_even_when_the_document_repeats_itself() {
    let deep = format!("{}1{}", r#"{"siemaphore":"#.repeat(60), "}".repeat(60));
    let documents = [
        r#"{"a":1,"a":2,"\u0061":3,"severity":"x","severity":"y"}"#,
        r#"{"time\u0073tamp":1,"timestamp":2,"original_timestamp":3}"#,
        r#"{"user":[],"user_id":{},"tool":null,"action":{"a":[{"b":1}]}}"#,
        &deep,
        "{ }",
    ];
    testkit::check_laws::<SumoLogic>(&documents.map(event));
    assert_eq!(record(&json!({}), &event(documents[0]))["a"], 3);
}

#[test]
fn what_sumo_logic_could_not_use_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({ "category": " " }), "/category"),
        (json!({ "host": "a\nb" }), "/host"),
        (json!({ "name": 7 }), "/name"),
        (json!({ "sumo_fields": { "a,b": "c" } }), "/sumo_fields/a,b"),
        (json!({ "sumo_fields": { "a": "c=d" } }), "/sumo_fields/a"),
        (json!({ "sumo_fields": { "a": "" } }), "/sumo_fields/a"),
        (json!({ "fields": { "user_id": "user.id" } }), "/fields/user_id"),
        (json!({ "token": "x" }), "/token"),
    ] {
        let problems = testkit::configure::<SumoLogic>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

//! What an operator can set, what is refused where, and documents that want to be more than a document.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod schema;

use serde_json::{Value, json};
use siemaphore_formatter_ocsf::Ocsf;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Compression, Event, Framing, Severity};

fn record(settings: &Value, event: &Event) -> Value {
    let configured = testkit::configure::<Ocsf>(&settings.to_string()).unwrap();
    serde_json::from_str(&configured.record(event)).unwrap()
}

#[test]
fn the_request_follows_the_framing() {
    let profile = |settings: Value| testkit::configure::<Ocsf>(&settings.to_string()).unwrap().profile;
    let default = profile(json!({}));
    assert_eq!((default.path.as_str(), default.content_type.as_str()), ("/", "application/x-ndjson"));
    assert_eq!(
        (default.framing, default.limits.records, default.limits.body_bytes),
        (Framing::Newline, 1_000, 1_000_000)
    );
    assert_eq!((default.compression, default.probe), (Vec::new(), None));
    let array = profile(json!({ "framing": "array", "path": "/in", "gzip": true, "max_body_bytes": 4_000 }));
    assert_eq!((array.framing, array.content_type.as_str()), (Framing::JsonArray, "application/json"));
    assert_eq!((array.path.as_str(), array.limits.record_bytes), ("/in", 4_000));
    assert_eq!(array.compression, [Compression::Gzip]);
    let single = profile(json!({ "framing": "one_per_request" }));
    assert_eq!((single.framing, single.limits.records), (Framing::OnePerRequest, 1));
}

#[test]
fn five_severities_have_their_numbers_and_captions() {
    let found = Severity::ALL.map(|severity| {
        let record = record(&json!({}), &Event { severity, ..event("{}") });
        (record["severity_id"].as_u64().unwrap(), record["severity"].as_str().unwrap().to_owned())
    });
    let expected = [(1, "Informational"), (2, "Low"), (3, "Medium"), (4, "High"), (5, "Critical")];
    assert_eq!(found, expected.map(|(id, caption)| (id, caption.to_owned())));
}

#[test]
fn only_serious_findings_are_alerts() {
    let settings = json!({ "schema_version": "1.8.0" });
    for (severity, decision, is_alert) in [
        (Severity::High, "blocked", true),
        (Severity::Critical, "flagged", true),
        (Severity::Medium, "blocked", false),
        (Severity::Critical, "session.started", false),
    ] {
        let event = Event { severity, event_type: decision.to_owned(), ..event("{}") };
        assert_eq!(record(&settings, &event)["is_alert"], is_alert, "{decision}");
    }
}

#[test]
fn the_operators_words_replace_the_defaults() {
    let settings = json!({ "product": "AI Gateway", "vendor": "Acme", "fields": { "tool": "/did" } });
    let record = record(&settings, &event(r#"{"did":"query","source_ip":"2001:db8::1"}"#));
    assert_eq!(record["metadata"]["product"], json!({ "name": "AI Gateway", "vendor_name": "Acme" }));
    assert_eq!(record["resources"][0]["name"], "query");
    assert_eq!(record["evidences"][0]["src_endpoint"], json!({ "name": "gateway", "ip": "2001:db8::1" }));
}

#[test]
fn hostile_documents_make_valid_events() {
    let documents = [
        r#"{"class_uid":1,"metadata":7,"unmapped":{"a":1},"user":{"id":7,"email":"x"},"model":5,"tool":true}"#.to_owned(),
        r#"{"user_id":["x"],"model":{"a":1},"source_ip":"localhost","input_tokens":-5,"session_id":null,"policy":""}"#.to_owned(),
        format!(r#"{{"a":{}1{},"reason":"{}"}}"#, "[".repeat(60), "]".repeat(60), "\\u0000\\\"".repeat(10_000)),
        "{ }".to_owned(),
    ];
    let events: Vec<Event> = documents.iter().map(|document| event(document)).collect();
    testkit::check_laws::<Ocsf>(&events);
    for event in &events {
        for event_type in ["", ".", "dlp.", "created", "uncreated", "a.b_updated"] {
            let event = Event { event_type: event_type.to_owned(), ..event.clone() };
            let record = record(&json!({ "schema_version": "1.8.0" }), &event);
            let problems: Vec<_> = schema::problems(&record)
                .into_iter()
                // An event without a type cannot be named.
                .filter(|problem| !(event_type.is_empty() && problem.contains("own name")))
                .collect();
            assert_eq!(problems, [""; 0], "{event_type:?} {record}");
        }
    }
}

#[test]
fn what_cannot_be_used_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({ "schema_version": "1.4.0" }), "/schema_version"),
        (json!({ "class": "2004" }), "/class"),
        (json!({ "product": " " }), "/product"),
        (json!({ "vendor": "" }), "/vendor"),
        (json!({ "path": "in" }), "/path"),
        (json!({ "framing": "newline" }), "/framing"),
        (json!({ "max_body_bytes": 3_999 }), "/max_body_bytes"),
        (json!({ "max_body_bytes": 16_777_217 }), "/max_body_bytes"),
        (json!({ "fields": { "tool": "did" } }), "/fields/tool"),
        (json!({ "fields": { "tol": "/did" } }), "/fields/tol"),
        (json!({ "version": "1.3.0" }), "/version"),
    ] {
        let problems = testkit::configure::<Ocsf>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

//! What an operator can set, what is refused where, and documents that want to be more than a document.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_otlp::Otlp;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Event, Severity};

fn resource_logs(settings: &Value, event: &Event) -> Value {
    let text = testkit::configure::<Otlp>(&settings.to_string()).unwrap().record(event);
    serde_json::from_str(&text).unwrap()
}

fn log_record(event: &Event) -> Value {
    resource_logs(&json!({}), event)["scopeLogs"][0]["logRecords"][0].clone()
}

/// Attributes as an object; a key that comes twice fails.
fn attributes(list: &Value) -> Value {
    let mut object = serde_json::Map::new();
    for pair in list.as_array().unwrap() {
        let key = pair["key"].as_str().unwrap();
        assert_eq!(object.insert(key.to_owned(), pair["value"].clone()), None, "{key} comes twice");
    }
    Value::Object(object)
}

fn attributes_of(document: &str) -> Value {
    attributes(&log_record(&event(document))["attributes"])
}

fn text(text: &str) -> Value {
    json!({ "stringValue": text })
}

#[test]
fn the_request_is_the_one_of_the_specification() {
    let profile = testkit::configure::<Otlp>("{}").unwrap().profile;
    assert_eq!((profile.path.as_str(), profile.content_type.as_str()), ("/v1/logs", "application/json"));
    assert_eq!((profile.limits.body_bytes, profile.limits.record_bytes), (4_000_000, 3_999_981));
    assert_eq!(profile.probe.unwrap().body, br#"{"resourceLogs":[]}"#);
    assert_eq!(profile.replay_window, None);
}

#[test]
fn the_operators_words_are_attributes_of_the_resource() {
    let settings =
        json!({ "service_name": "gateway", "resource": { "deployment.environment.name": "production" } });
    let event = Event { project: Some("proj_1".to_owned()), ..event("{}") };
    let resource = attributes(&resource_logs(&settings, &event)["resource"]["attributes"]);
    let expected = json!({
        "service.name": text("gateway"),
        "deployment.environment.name": text("production"),
        "siemaphore.organization": text("acme"),
        "siemaphore.producer": text("generic"),
        "siemaphore.project": text("proj_1"),
        "siemaphore.source": text("gateway"),
    });
    assert_eq!(resource, expected);
}

#[test]
fn five_severities_are_five_numbers() {
    let numbers = Severity::ALL
        .map(|severity| log_record(&Event { severity, ..event("{}") })["severityNumber"].clone());
    assert_eq!(numbers, [9, 10, 13, 17, 21]);
}

#[test]
fn times_are_decimal_texts_with_all_their_digits() {
    let record = log_record(&Event { timestamp_ns: u64::MAX, received_ns: 1, ..event("{}") });
    assert_eq!(
        (&record["timeUnixNano"], &record["observedTimeUnixNano"]),
        (&json!("18446744073709551615"), &json!("1"))
    );
}

#[test]
fn numbers_have_the_type_that_holds_them() {
    let attributes = attributes_of(
        r#"{"a":7,"b":-9223372036854775808,"c":9223372036854775808,"d":1.50,"e":1e400,"f":-0,"g":true}"#,
    );
    for (key, value) in [
        ("a", json!({ "intValue": "7" })),
        ("b", json!({ "intValue": "-9223372036854775808" })),
        ("c", text("9223372036854775808")),
        ("d", json!({ "doubleValue": 1.5 })),
        ("e", text("1e400")),
        ("f", json!({ "doubleValue": -0.0 })),
        ("g", json!({ "boolValue": true })),
    ] {
        assert_eq!(attributes[key], value, "{key}");
    }
}

#[test]
fn a_member_that_repeats_an_attribute_is_not_written_again_and_one_that_differs_moves_aside() {
    let attributes = attributes_of(
        r#"{"user":{"id":7,"email":"a@example.com"},"user.id":"8","log.record.uid":"mine","event":{"id":"evt_1"}}"#,
    );
    assert_eq!((&attributes["user.id"], &attributes["user.email"]), (&text("7"), &text("a@example.com")));
    assert_eq!(attributes["document.user.id"], text("8"));
    assert_eq!(attributes["document.log.record.uid"], text("mine"));
    assert_eq!((&attributes["event.id"], &attributes["document.event.id"]), (&text("evt_1"), &Value::Null));
}

#[test]
fn paths_that_meet_keep_apart() {
    let attributes = attributes_of(r#"{"a":{"b":1},"a.b":2,"document.a.b":3,"a":{"b":4}}"#);
    assert_eq!(attributes["a.b"], json!({ "intValue": "4" }));
    assert_eq!(attributes["document.a.b"], json!({ "intValue": "2" }));
    assert_eq!(attributes["document.document.a.b"], json!({ "intValue": "3" }));
}

#[test]
fn what_is_nested_too_deep_for_readers_is_a_text() {
    let document = format!(r#"{{"a":{}1{}}}"#, "[".repeat(20), "]".repeat(20));
    let attributes = attributes_of(&document);
    let mut value = &attributes["a"];
    for _ in 0..16 {
        value = &value["arrayValue"]["values"][0];
    }
    assert_eq!(value, &text("[[[[1]]]]"));
}

#[test]
fn an_identifier_of_a_trace_is_one_or_none() {
    let record =
        log_record(&event(r#"{"traceId":"4BF92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}"#));
    assert_eq!(record["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(record["spanId"], "00f067aa0ba902b7");
    for other in [r#""req-1""#, "7", r#""00000000000000000000000000000000""#, "null"] {
        let record = log_record(&event(&format!(r#"{{"trace_id":{other}}}"#)));
        assert_eq!(record.get("traceId"), None, "{other}");
    }
}

#[test]
fn the_largest_documents_fit_into_a_request() {
    const DOCUMENT_BYTES: usize = 256 * 1024;
    let profile = testkit::configure::<Otlp>("{}").unwrap().profile;
    let path = "p".repeat(120);
    let many = |piece: &dyn Fn(usize) -> String, around: (&str, &str)| {
        let mut document = around.0.to_owned();
        let mut number = 0;
        while document.len() + 32 < DOCUMENT_BYTES {
            document.push_str(&piece(number));
            number += 1;
        }
        document.pop();
        document + around.1
    };
    let documents = [
        many(&|_| "[],".to_owned(), (r#"{"a":["#, "]}")),
        many(&|_| "{},".to_owned(), (r#"{"a":["#, "]}")),
        many(&|_| "1,".to_owned(), (r#"{"a":["#, "]}")),
        many(&|_| r#"{"":{}},"#.to_owned(), (r#"{"a":["#, "]}")),
        many(&|number| format!(r#""{number:x}":1,"#), ("{", "}")),
        many(&|number| format!(r#""{number:x}":1,"#), (&format!(r#"{{"{path}":{{"#), "}}")),
        many(&|number| format!(r#""{number:x}":{{}},"#), (&format!(r#"{{"{path}":{{"#), "}}")),
        format!(r#"{{"a":{}1{}}}"#, r#"{"b":["#.repeat(31), "]}".repeat(31)),
    ];
    for document in documents {
        let record = testkit::configure::<Otlp>("{}").unwrap().record(&event(&document));
        let start = &document[..40.min(document.len())];
        assert!(record.len() <= profile.limits.record_bytes as usize, "{start}: {} bytes", record.len());
        assert!(serde_json::from_str::<Value>(&record).is_ok(), "{start}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({ "service_name": " " }), "/service_name"),
        (json!({ "resource": { "": "x" } }), "/resource/"),
        (json!({ "resource": { "service.name": "x" } }), "/resource/service.name"),
        (json!({ "resource": { "siemaphore.source": "x" } }), "/resource/siemaphore.source"),
        (json!({ "resource": { "a": 1 } }), "/resource/a"),
        (json!({ "fields": { "user_id": "identity.id" } }), "/fields/user_id"),
        (json!({ "path": "/v1/logs" }), "/path"),
    ] {
        let problems = testkit::configure::<Otlp>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

//! What an operator can set, what is refused where, and documents that want to break a line.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_leef::Leef;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Event, Framing, Severity};

fn line(settings: &Value, event: &Event) -> String {
    testkit::configure::<Leef>(&settings.to_string()).unwrap().record(event)
}

#[test]
fn a_request_is_one_plain_line_unless_told_otherwise() {
    let profile = |settings: Value| testkit::configure::<Leef>(&settings.to_string()).unwrap().profile;
    let default = profile(json!({}));
    assert_eq!((default.path.as_str(), default.content_type.as_str()), ("/", "text/plain"));
    assert_eq!(
        (default.framing, default.limits.records, default.limits.record_bytes),
        (Framing::OnePerRequest, 1, 4_096)
    );
    assert_eq!((default.compression, default.probe), (Vec::new(), None));
    let lines = profile(json!({ "framing": "lines", "path": "/leef", "max_line_bytes": 32_000 }));
    assert_eq!(
        (lines.framing, lines.limits.records, lines.limits.record_bytes),
        (Framing::Newline, 1_000, 32_000)
    );
    assert_eq!((lines.path.as_str(), lines.limits.body_bytes), ("/leef", 1_000_000));
}

#[test]
fn header_and_delimiter_are_the_operators() {
    let settings =
        json!({ "vendor": "A|cme", "product": "AI Gateway", "product_version": "2", "delimiter": "x5E" });
    let event = Event { event_type: "a|b".to_owned(), ..event(r#"{"reason":"x^y=z","b":"^"}"#) };
    let line = line(&settings, &event);
    assert!(
        line.starts_with("LEEF:2.0|A cme|AI Gateway|2|a b|^|devTime=1780949730000^cat=a|b^sev=8^"),
        "{line}"
    );
    assert!(
        line.contains("^reason=x y=z^")
            && line.ends_with(r#"^document={"reason":"x\u005ey=z","b":"\u005e"}"#),
        "{line}"
    );
}

#[test]
fn five_severities_are_five_numbers() {
    for (severity, number) in Severity::ALL.into_iter().zip(["1", "3", "5", "8", "10"]) {
        let line = line(&json!({}), &Event { severity, ..event("{}") });
        assert!(line.contains(&format!("\tsev={number}\t")), "{line}");
    }
}

#[test]
fn a_time_has_thirteen_digits_whenever_it_was() {
    for (timestamp_ns, expected) in [(0, "0000000000000"), (1_780_949_730_123_456_789, "1780949730123")] {
        let line = line(&json!({}), &Event { timestamp_ns, ..event("{}") });
        assert!(line.contains(&format!("|devTime={expected}\t")), "{line}");
    }
}

#[test]
fn texts_are_cut_to_the_byte_and_the_document_to_what_is_left() {
    let document =
        json!({ "user_id": "u".repeat(300), "reason": "é".repeat(600), "text": "x".repeat(60_000) })
            .to_string();
    for most in [2_048, 4_096, 4_097, 32_000] {
        let event = Event { event_type: "e".repeat(300), ..event(&document) };
        let line = line(&json!({ "max_line_bytes": most }), &event);
        // The last character before the ellipsis may be of two bytes.
        assert!(line.len() == most || line.len() == most - 1, "{most}: {}", line.len());
        assert!(line.ends_with('…'), "{line}");
        assert_eq!(line.split('|').nth(4).unwrap().len(), 255);
        let value =
            |key: &str| line.split('\t').find_map(|pair| pair.strip_prefix(&format!("{key}="))).unwrap();
        assert_eq!((value("usrName").len(), value("reason").len()), (255, 511));
    }
}

#[test]
fn nothing_in_an_event_breaks_its_line() {
    let document = json!({
        "reason": "a\nb\r\nc\td|e=f\u{2028}\u{85}", "policy": " \t ", "user_id": ["x"], "tool": 7, "source_ip": "localhost",
    });
    let event = Event { event_type: "a|b\n\tc".to_owned(), ..event(&document.to_string()) };
    let line = line(&json!({}), &event);
    assert!(!line.contains(|one: char| (one.is_control() && one != '\t') || one == '\u{2028}'), "{line:?}");
    assert!(line.starts_with("LEEF:2.0|Siemaphore|AI Security|1|a b  c|x09|"), "{line}");
    assert!(line.contains("\treason=a b  c d|e=f\t"), "{line}");
    assert!(line.contains("\tresource=7\t") && !line.contains("policy=") && !line.contains("src="), "{line}");
    assert!(line.split('\t').all(|pair| pair.contains('=')), "{line}");
    testkit::check_laws::<Leef>(&[event]);
}

#[test]
fn what_cannot_be_used_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({ "vendor": "" }), "/vendor"),
        (json!({ "product": " " }), "/product"),
        (json!({ "product_version": "x".repeat(256) }), "/product_version"),
        (json!({ "delimiter": "," }), "/delimiter"),
        (json!({ "delimiter": "x0A" }), "/delimiter"),
        (json!({ "path": "leef" }), "/path"),
        (json!({ "framing": "array" }), "/framing"),
        (json!({ "max_line_bytes": 2_047 }), "/max_line_bytes"),
        (json!({ "max_line_bytes": 500_001 }), "/max_line_bytes"),
        (json!({ "fields": { "tool": "did" } }), "/fields/tool"),
        (json!({ "gzip": true }), "/gzip"),
    ] {
        let problems = testkit::configure::<Leef>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

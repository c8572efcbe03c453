//! What an operator can set, what is refused where, and documents that want to break a line.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_cef::Cef;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Compression, Event, Framing, Severity};

fn line(settings: &Value, event: &Event) -> String {
    testkit::configure::<Cef>(&settings.to_string()).unwrap().record(event)
}

#[test]
fn the_request_follows_the_settings() {
    let profile = |settings: Value| testkit::configure::<Cef>(&settings.to_string()).unwrap().profile;
    let default = profile(json!({}));
    assert_eq!((default.path.as_str(), default.content_type.as_str()), ("/", "text/plain"));
    let limits = (default.limits.records, default.limits.body_bytes, default.limits.record_bytes);
    assert_eq!((default.framing, limits), (Framing::Newline, (1_000, 1_000_000, 500_000)));
    assert_eq!((default.compression, default.probe), (Vec::new(), None));
    let set = profile(json!({
        "path": "/cef", "content_type": "application/cef", "framing": "one_per_request", "max_line_bytes": 4_096, "gzip": true,
    }));
    assert_eq!((set.path.as_str(), set.content_type.as_str()), ("/cef", "application/cef"));
    assert_eq!(
        (set.framing, set.limits.records, set.limits.record_bytes),
        (Framing::OnePerRequest, 1, 4_096)
    );
    assert_eq!(set.compression, [Compression::Gzip]);
}

#[test]
fn the_header_is_the_operators() {
    let settings = json!({ "vendor": "A|cme", "product": "AI \\ Gateway", "device_version": "1=2" });
    let line = line(&settings, &event("{}"));
    assert!(
        line.starts_with(r"CEF:0|A\|cme|AI \\ Gateway|1=2|dlp.pii_blocked|Dlp pii blocked|8|rt="),
        "{line}"
    );
}

#[test]
fn five_severities_are_five_numbers() {
    for (severity, number) in Severity::ALL.into_iter().zip(["1", "3", "5", "8", "10"]) {
        let line = line(&json!({}), &Event { severity, ..event("{}") });
        assert_eq!(line.split('|').nth(6), Some(number));
    }
}

#[test]
fn an_address_goes_where_its_version_goes() {
    let old = line(&json!({}), &event(r#"{"source_ip":"192.0.2.1"}"#));
    assert!(old.contains(" src=192.0.2.1 ") && !old.contains("c6a1"), "{old}");
    let new = line(&json!({}), &event(r#"{"source_ip":"2001:db8::1"}"#));
    assert!(
        new.contains(" c6a1Label=Source IPv6 Address c6a1=2001:db8::1 ") && !new.contains("src="),
        "{new}"
    );
}

#[test]
fn texts_are_cut_to_the_byte_where_the_dictionary_ends() {
    let long = "é".repeat(3_000);
    let document = json!({ "reason": long, "policy": long, "outcome": long, "user_id": long }).to_string();
    let event = Event { event_type: "x".repeat(2_000), source: "s".repeat(200), ..event(&document) };
    let line = line(&json!({}), &event);
    let value = |key: &str| {
        let (_, after) = line.split_once(&format!(" {key}=")).unwrap();
        after.split_once(' ').unwrap().0.to_owned()
    };
    let lengths = ["msg", "suser", "cs1", "dvchost"].map(|key| value(key).len());
    assert_eq!(lengths, [1_023, 1_023, 3_999, 100], "characters of two bytes, an ellipsis of three");
    let header: Vec<&str> = line.split('|').collect();
    assert_eq!((header[4].len(), header[5].len()), (1_023, 512));
    assert!(value("msg").ends_with('…') && header[5].ends_with('…'));
}

#[test]
fn a_line_is_never_longer_than_the_operator_says_and_loses_the_document_first() {
    let document = format!(r#"{{"policy":"p","text":"{}"}}"#, "=\\\\".repeat(20_000));
    for most in [4_096, 4_097, 4_098, 10_000] {
        let line = line(&json!({ "max_line_bytes": most }), &event(&document));
        assert!(line.len() <= most && line.len() > most - 8, "{most}: {}", line.len());
        assert!(line.contains("cs1Label=policy cs1=p ") && line.ends_with('…'), "{line}");
        assert_eq!(line.trim_end_matches('…').chars().rev().take_while(|one| *one == '\\').count() % 2, 0);
    }
    let hostile = Event {
        event_type: "|".repeat(3_000),
        organization: "=".repeat(9_000),
        id: "\\".repeat(9_000),
        ..event(&json!({ "reason": "=".repeat(9_000), "policy": "=".repeat(9_000) }).to_string())
    };
    assert!(line(&json!({ "max_line_bytes": 4_096 }), &hostile).len() <= 4_096);
}

#[test]
fn nothing_in_an_event_breaks_its_line() {
    let document = json!({
        "reason": "a\nb\r\nc act=x | CEF:0|\u{2028}\u{85}\u{7}", "policy": "  ", "model": "\u{7}", "user_id": ["x"], "tool": 7,
    });
    let event = Event {
        event_type: "a|b\n\\=c".to_owned(),
        project: Some("p externalId=0".to_owned()),
        ..event(&document.to_string())
    };
    let line = line(&json!({}), &event);
    assert!(!line.contains(|one: char| one.is_control() || one == '\u{2028}'), "{line:?}");
    assert!(line.starts_with(r"CEF:0|Siemaphore|generic|1|a\|b \\=c|A\|b \\=c|8|"), "{line}");
    assert!(line.contains(r" msg=a\nb\r\nc act\=x | CEF:0| cs"), "{line}");
    assert!(line.contains(r" SiemaphoreProject=p externalId\=0 "), "{line}");
    assert!(
        line.contains(" cs6Label=tool cs6=7 ") && !line.contains("cs1") && !line.contains("cs2"),
        "{line}"
    );
    testkit::check_laws::<Cef>(&[event]);
}

#[test]
fn what_cannot_be_used_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({ "vendor": "" }), "/vendor"),
        (json!({ "vendor": "x".repeat(64) }), "/vendor"),
        (json!({ "product": " " }), "/product"),
        (json!({ "device_version": "x".repeat(32) }), "/device_version"),
        (json!({ "path": "cef" }), "/path"),
        (json!({ "content_type": "" }), "/content_type"),
        (json!({ "framing": "array" }), "/framing"),
        (json!({ "max_line_bytes": 4_095 }), "/max_line_bytes"),
        (json!({ "max_line_bytes": 500_001 }), "/max_line_bytes"),
        (json!({ "fields": { "tool": "did" } }), "/fields/tool"),
        (json!({ "severity": 3 }), "/severity"),
    ] {
        let problems = testkit::configure::<Cef>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

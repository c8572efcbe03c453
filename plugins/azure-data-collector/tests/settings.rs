//! What an operator can set, what is refused where, and documents that want to be more than a document.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_azure_data_collector::DataCollector;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Event, Severity, TooOld};

const SETTINGS: &str = r#"{"log_type":"AiEvents"}"#;

fn row(event: &Event) -> Value {
    serde_json::from_str(&testkit::configure::<DataCollector>(SETTINGS).unwrap().record(event)).unwrap()
}

#[test]
fn the_request_is_the_one_that_was_documented() {
    let profile = testkit::configure::<DataCollector>(SETTINGS).unwrap().profile;
    assert_eq!(profile.path, "/api/logs");
    assert_eq!(profile.query, [("api-version".to_owned(), "2016-04-01".to_owned())]);
    assert_eq!(profile.content_type, "application/json");
    let headers = [("Log-Type", "AiEvents"), ("time-generated-field", "EventTime")];
    assert_eq!(profile.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((profile.limits.body_bytes, profile.limits.record_bytes), (30_000_000, 29_999_998));
    assert_eq!(profile.compression, []);
    let window = profile.replay_window.unwrap();
    assert_eq!((window.max_age_s, window.effect), (172_800, TooOld::Retimed));
}

#[test]
fn people_are_told_that_the_api_is_retired() {
    let description = testkit::describe::<DataCollector>();
    assert!(description.title.contains("retired"), "{}", description.title);
    assert!(description.summary.contains("2026-09-14") && description.summary.contains("sentinel"));
    assert_eq!(description.authentication[0].scheme, "azure-shared-key");
}

#[test]
fn five_severities_are_four_words_with_the_original_beside() {
    let words = Severity::ALL.map(|severity| row(&Event { severity, ..event("{}") }));
    assert_eq!(
        words.clone().map(|row| row["Severity"].clone()),
        ["Informational", "Low", "Medium", "High", "High"]
    );
    assert_eq!(words[4]["OriginalSeverity"], "critical");
}

#[test]
fn the_time_is_in_the_documented_form() {
    for timestamp in ["2026-06-08T20:15:30Z", "2026-06-08T20:15:30.123456Z"] {
        let event = Event { timestamp: timestamp.to_owned(), ..event("{}") };
        assert_eq!(row(&event)["EventTime"], "2026-06-08T20:15:30Z");
    }
}

#[test]
fn names_that_azure_refuses_or_keeps_for_itself_change() {
    let row = row(&event(
        r#"{"TimeGenerated":1,"tenant":"a","RawData":"b","id":"c","EventKey":"mine","a":{"b":1},"a_b":2}"#,
    ));
    for (column, value) in [
        ("x_TimeGenerated", json!(1)),
        ("x_tenant", json!("a")),
        ("x_RawData", json!("b")),
        ("x_id", json!("c")),
        ("EventKey_2", json!("mine")),
        ("a_b", json!(1)),
        ("a_b_2", json!(2)),
    ] {
        assert_eq!(row[column], value, "{column}");
    }
    assert!(["TimeGenerated", "tenant", "RawData", "id"].iter().all(|name| row.get(name).is_none()), "{row}");
}

#[test]
fn values_are_texts_numbers_and_booleans() {
    let row = row(&event(
        r#"{"list":[1,{"a":null}],"empty":{},"none":null,"large":9007199254740993,"wide":1e400,"half":0.5,"yes":true}"#,
    ));
    for (column, value) in [
        ("list", json!(r#"[1,{"a":null}]"#)),
        ("empty", json!("{}")),
        ("none", Value::Null),
        ("large", json!("9007199254740993")),
        ("wide", json!("1e400")),
        ("half", json!(0.5)),
        ("yes", json!(true)),
    ] {
        assert_eq!(row[column], value, "{column}");
    }
}

#[test]
fn a_value_over_thirty_two_kilobytes_is_cut_where_it_shows() {
    let row =
        row(&event(&format!(r#"{{"text":"{}","user_id":"{}"}}"#, "é".repeat(20_000), "u".repeat(40_000))));
    for column in ["text", "user_id", "ActorUserId"] {
        let text = row[column].as_str().unwrap();
        assert!(text.len() <= 32_000 && text.ends_with('…'), "{column}: {} bytes", text.len());
    }
}

#[test]
fn members_that_would_fill_the_table_share_one_column() {
    let members: Vec<String> = (0..100).map(|number| format!(r#""m{number}":{number}"#)).collect();
    let row = row(&event(&format!("{{{}}}", members.join(","))));
    assert_eq!(row.as_object().unwrap().len(), 50);
    let more: Value = serde_json::from_str(row["MoreFields"].as_str().unwrap()).unwrap();
    let own = (0..100).filter(|number| row.get(format!("m{number}")).is_some()).count();
    assert_eq!(own + more.as_object().unwrap().len(), 100);
    assert_eq!(more["m99"], 99);
}

#[test]
fn a_hostile_document_stays_small() {
    let members: Vec<String> = (0..20_000).map(|number| format!(r#""{number:x}":1"#)).collect();
    let document = format!(r#"{{"{}":{{{}}}}}"#, "p".repeat(60_000), members.join(","));
    let text = testkit::configure::<DataCollector>(SETTINGS).unwrap().record(&event(&document));
    assert!(text.len() < 100_000, "{} bytes", text.len());
    testkit::check_laws::<DataCollector>(&[event(&document), event(r#"{"a":1,"\u0061":{"b":2},"a_b":3}"#)]);
}

#[test]
fn what_azure_could_not_use_is_refused_where_it_stands() {
    for (settings, expected) in [
        (json!({}), "/log_type"),
        (json!({ "log_type": "" }), "/log_type"),
        (json!({ "log_type": "Ai-Events" }), "/log_type"),
        (json!({ "log_type": "x".repeat(101) }), "/log_type"),
        (json!({ "log_type": "AiEvents_CL" }), "/log_type"),
        (json!({ "log_type": "A", "fields": { "policy": "name" } }), "/fields/policy"),
        (json!({ "log_type": "A", "workspace_id": "x" }), "/workspace_id"),
    ] {
        let problems = testkit::configure::<DataCollector>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

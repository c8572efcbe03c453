//! What an operator can set, what is refused where, and documents that want to be more than a document.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use siemaphore_formatter_newrelic::NewRelic;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Event, Framing, Severity, TooOld};

fn record(settings: &Value, event: &Event) -> Value {
    let text = testkit::configure::<NewRelic>(&settings.to_string()).unwrap().record(event);
    serde_json::from_str(&text).unwrap()
}

fn attributes(document: &Value) -> Map<String, Value> {
    record(&json!({}), &event(&document.to_string()))["attributes"].as_object().unwrap().clone()
}

/// A request with these records, as the host frames it.
fn body(settings: &Value, records: &[String]) -> Value {
    let Framing::Enclosed(enclosure) =
        testkit::configure::<NewRelic>(&settings.to_string()).unwrap().profile.framing
    else {
        panic!("not enclosed")
    };
    let [prefix, separator, suffix] = [enclosure.prefix, enclosure.separator, enclosure.suffix]
        .map(|part| String::from_utf8(part).unwrap());
    serde_json::from_str(&format!("{prefix}{}{suffix}", records.join(&separator))).unwrap()
}

#[test]
fn the_request_is_the_one_that_new_relic_documents() {
    let profile = testkit::configure::<NewRelic>("{}").unwrap().profile;
    assert_eq!((profile.path.as_str(), profile.limits.body_bytes), ("/log/v1", 1_000_000));
    assert_eq!(profile.limits.record_bytes as usize, 1_000_000 - "[{\"logs\":[]}]".len());
    let window = profile.replay_window.unwrap();
    assert_eq!((window.max_age_s, window.effect), (172_800, TooOld::Dropped));
    assert_eq!(profile.probe, None, "nothing can be asked without storing a log");
    let logs = ["{\"message\":\"a\"}".to_owned(), "{\"message\":\"b\"}".to_owned()];
    assert_eq!(body(&json!({}), &logs), json!([{ "logs": [{ "message": "a" }, { "message": "b" }] }]));
}

#[test]
fn what_all_logs_share_stands_once_before_them() {
    let settings = json!({ "attributes": { "environment": "pro\"duction", "team": "soc" } });
    assert_eq!(
        body(&settings, &["{}".to_owned()]),
        json!([{ "common": { "attributes": { "environment": "pro\"duction", "team": "soc" } }, "logs": [{}] }])
    );
}

#[test]
fn the_operators_words_replace_the_defaults() {
    let settings = json!({ "logtype": "ai", "service": "gw", "fields": { "user_id": "/who" } });
    let record = record(&settings, &event(r#"{"who":7}"#));
    let attributes = &record["attributes"];
    assert_eq!((&attributes["logtype"], &attributes["service.name"]), (&json!("ai"), &json!("gw")));
    assert_eq!(attributes["siemaphore.user_id"], 7);
}

#[test]
fn five_severities_are_levels() {
    let levels = Severity::ALL.map(|severity| {
        record(&json!({}), &Event { severity, ..event("{}") })["attributes"]["level"].clone()
    });
    assert_eq!(levels, ["info", "info", "warn", "error", "critical"]);
}

#[test]
fn the_documents_own_message_is_the_message_unless_it_would_be_taken_apart() {
    let with = |message: Value| record(&json!({}), &event(&json!({ "message": message }).to_string()));
    assert_eq!(with(json!("PII \"found\""))["message"], "PII \"found\"");
    assert_eq!(with(json!("PII found"))["attributes"].get("original_message"), None);
    for message in [json!(" {\"severity\":\"low\"}"), json!("[1]"), json!(""), json!(7)] {
        let record = with(message.clone());
        assert_eq!(record["message"], "dlp.pii_blocked", "{message}");
        assert_eq!(record["attributes"]["original_message"], message);
    }
}

#[test]
fn lists_that_commas_would_not_tell_apart_stay_json() {
    let attributes = attributes(&json!({
        "plain": ["a", 1, true, null], "commas": ["a,b", "c"], "nested": [{ "a": [1] }], "empty": [], "nothing": null,
        "hollow": {}, "deep": { "list": ["x", "y"] },
    }));
    assert_eq!(attributes["plain"], "a,1,true,null");
    assert_eq!(attributes["commas"], r#"["a,b","c"]"#);
    assert_eq!(attributes["nested"], r#"[{"a":[1]}]"#);
    assert_eq!(attributes["deep.list"], "x,y");
    assert!(["empty", "nothing", "hollow"].iter().all(|name| !attributes.contains_key(*name)));
}

#[test]
fn names_that_new_relic_or_we_have_taken_move_aside() {
    let attributes = attributes(&json!({
        "accountId": 1, "eventType": 2, "entity": { "guid": 3 }, "instrumentation": { "name": 4 }, "level": 5,
        "timestamp": "yesterday", "severity": "SEV1", "siemaphore": { "producer": 6 }, "": 7,
        "a.b": 8, "a": { "b": 9 }, "original_a.b": 10,
    }));
    for (name, value) in [
        ("original_accountId", json!(1)),
        ("original_eventType", json!(2)),
        ("original_entity.guid", json!(3)),
        ("original_instrumentation.name", json!(4)),
        ("original_level", json!(5)),
        ("original_timestamp", json!("yesterday")),
        ("original_severity", json!("SEV1")),
        ("original_siemaphore.producer", json!(6)),
        ("_", json!(7)),
    ] {
        assert_eq!(attributes.get(name), Some(&value), "{name}: {attributes:?}");
    }
    let of_a_b: BTreeSet<u64> = attributes
        .iter()
        .filter(|(name, _)| name.ends_with("a.b"))
        .filter_map(|(_, value)| value.as_u64())
        .collect();
    assert_eq!(of_a_b, BTreeSet::from([8, 9, 10]), "{attributes:?}");
    assert_eq!((&attributes["severity"], &attributes["level"]), (&json!("high"), &json!("error")));
}

#[test]
fn what_is_too_many_is_kept_as_json_in_one_attribute() {
    let members: Map<String, Value> =
        (0..400).map(|number| (format!("key{number:03}"), json!(number))).collect();
    let attributes = attributes(&Value::Object(members));
    assert_eq!(attributes.len() + 2, 255, "with the time and the message");
    let rest: Map<String, Value> =
        serde_json::from_str(attributes["siemaphore.rest"].as_str().unwrap()).unwrap();
    for number in 0..400 {
        let name = format!("key{number:03}");
        let kept = attributes.get(&name).or(rest.get(&name));
        assert_eq!(kept, Some(&json!(number)), "{name}");
    }
}

#[test]
fn settings_attributes_take_places_of_the_events() {
    let members: Map<String, Value> =
        (0..400).map(|number| (format!("key{number:03}"), json!(number))).collect();
    let shared: Map<String, Value> = (0..20).map(|number| (format!("shared{number}"), json!("x"))).collect();
    let event = event(&Value::Object(members).to_string());
    let record = record(&json!({ "attributes": shared }), &event);
    assert_eq!(record["attributes"].as_object().unwrap().len() + 20 + 2, 255);
}

#[test]
fn what_is_too_long_is_cut_and_says_so() {
    let long = "x".repeat(200_000);
    let record = record(&json!({}), &event(&json!({ "message": long, "n".repeat(300): 1 }).to_string()));
    assert!(record["message"].as_str().unwrap().ends_with("… [truncated]"));
    assert!(record["message"].as_str().unwrap().len() < 128_000);
    let attributes = record["attributes"].as_object().unwrap();
    assert!(attributes["siemaphore.reason"].as_str().unwrap().len() < 4_094);
    assert_eq!(attributes["n".repeat(255).as_str()], 1);
}

/// The largest events that there are, shaped to grow as much as they can.
#[test]
fn no_event_becomes_larger_than_a_request() {
    let leaves: Vec<String> = (0..3_000).map(|number| format!("\"{number}\":1")).collect();
    let long_path = format!(r#"{{"{}":{{{}}}}}"#, "k".repeat(200_000), leaves.join(","));
    let quotes = json!({ "message": "\"".repeat(120_000) }).to_string();
    let alike = format!("{}{}{}", r#"{"a":"#.repeat(60), r#"{"b.c":1,"b":{"c":2}}"#, "}".repeat(60));
    let list = json!({ "list": vec!["\u{1}\"\\"; 20_000] }).to_string();
    for document in [long_path, quotes, alike, list] {
        let configured = testkit::configure::<NewRelic>("{}").unwrap();
        let text = configured.record(&event(&document));
        assert!(text.len() <= configured.profile.limits.record_bytes as usize, "{}", text.len());
        let record: Value = serde_json::from_str(&text).unwrap();
        assert!(record["attributes"].as_object().unwrap().len() + 2 <= 255);
    }
}

#[test]
fn no_key_comes_twice_even_when_the_document_repeats_itself() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(60), "}".repeat(60));
    let documents = [
        r#"{"a":1,"a":2,"\u0061":3,"severity":"x","severity":"y"}"#,
        r#"{"a":{"b":1,"b":2},"a.b":3,"original_a.b":4,"original_240_a.b":5}"#,
        r#"{"level":1,"original_level":2,"lev\u0065l":3,"":{"":{"":1}}}"#,
        &deep,
        "{ }",
    ];
    testkit::check_laws::<NewRelic>(&documents.map(event));
    for document in documents {
        let text = testkit::configure::<NewRelic>("{}").unwrap().record(&event(document));
        let [attributes] = siemaphore_sdk::json::scan::find(&text, ["/attributes"]);
        let names: Vec<_> =
            siemaphore_sdk::json::scan::members(attributes.unwrap()).map(|member| member.key()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{text}");
    }
}

#[test]
fn what_new_relic_could_not_use_is_refused_where_it_stands() {
    let many: Map<String, Value> = (0..21).map(|number| (format!("a{number}"), json!("x"))).collect();
    for (settings, expected) in [
        (json!({ "logtype": "" }), "/logtype"),
        (json!({ "service": " " }), "/service"),
        (json!({ "attributes": { "accountId": "1" } }), "/attributes/accountId"),
        (json!({ "attributes": { "instrumentation.name": "x" } }), "/attributes/instrumentation.name"),
        (json!({ "attributes": { "level": "x" } }), "/attributes/level"),
        (json!({ "attributes": { "siemaphore.tool": "x" } }), "/attributes/siemaphore.tool"),
        (json!({ "attributes": { "": "x" } }), "/attributes/"),
        (json!({ "attributes": { "a": "x".repeat(1_001) } }), "/attributes/a"),
        (json!({ "attributes": many }), "/attributes"),
        (json!({ "fields": { "user_id": "user.id" } }), "/fields/user_id"),
        (json!({ "region": "eu" }), "/region"),
    ] {
        let problems = testkit::configure::<NewRelic>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

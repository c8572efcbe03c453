//! What an operator has to give, what is refused where, and documents that make bad columns.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_sentinel::Sentinel;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Event, Framing, Severity, TooOld};

fn settings() -> Value {
    json!({ "dcr_immutable_id": "dcr-0123456789abcdef0123456789abcdef", "stream": "Custom-AiEvents_CL" })
}

fn with(key: &str, value: &str) -> Value {
    let mut settings = settings();
    settings[key] = json!(value);
    settings
}

fn text(settings: &Value, event: &Event) -> String {
    testkit::configure::<Sentinel>(&settings.to_string()).unwrap().record(event)
}

fn row(document: &str) -> Value {
    serde_json::from_str(&text(&settings(), &event(document))).unwrap()
}

#[test]
fn the_request_is_the_one_that_azure_documents() {
    let profile = testkit::configure::<Sentinel>(&settings().to_string()).unwrap().profile;
    let path = "/dataCollectionRules/dcr-0123456789abcdef0123456789abcdef/streams/Custom-AiEvents_CL";
    let query = vec![("api-version".to_owned(), "2023-01-01".to_owned())];
    assert_eq!((profile.path.as_str(), &profile.query, profile.framing), (path, &query, Framing::JsonArray));
    assert_eq!(profile.limits.body_bytes, 1_000_000);
    let probe = profile.probe.unwrap();
    assert_eq!((probe.get, probe.path.as_str(), probe.query, &*probe.body), (false, path, query, &b"[]"[..]));
    let window = profile.replay_window.unwrap();
    assert_eq!((window.max_age_s, window.effect), (172_800, TooOld::Retimed));
}

#[test]
fn the_two_settings_without_a_default_are_asked_for_where_they_belong() {
    for (settings, expected) in [
        (json!({}), "/dcr_immutable_id"),
        (json!({ "dcr_immutable_id": "dcr-0123456789abcdef0123456789abcdef" }), "/stream"),
        (with("dcr_immutable_id", "my-rule"), "/dcr_immutable_id"),
        (with("dcr_immutable_id", "dcr-0123"), "/dcr_immutable_id"),
        (with("dcr_immutable_id", "/subscriptions/x/resourceGroups/y"), "/dcr_immutable_id"),
        (with("stream", "AiEvents_CL"), "/stream"),
        (with("stream", "Custom-"), "/stream"),
        (with("stream", "Custom-a/../b"), "/stream"),
        (with("suffixed_columns", "sometimes"), "/suffixed_columns"),
        (with("table", "x"), "/table"),
    ] {
        let problems = testkit::configure::<Sentinel>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}

#[test]
fn sentinel_has_four_severities_and_the_fifth_is_kept_beside_them() {
    let severities = Severity::ALL.map(|severity| {
        let row: Value =
            serde_json::from_str(&text(&settings(), &Event { severity, ..event("{}") })).unwrap();
        (row["Severity"].as_str().unwrap().to_owned(), row["OriginalSeverity"].as_str().unwrap().to_owned())
    });
    let expected = [
        ("Informational", "informational"),
        ("Low", "low"),
        ("Medium", "medium"),
        ("High", "high"),
        ("High", "critical"),
    ];
    assert_eq!(severities, expected.map(|(severity, original)| (severity.to_owned(), original.to_owned())));
}

#[test]
fn members_become_columns_that_log_analytics_takes() {
    let row = row(
        r#"{"id":7,"Type":"x","a":{"b":{"c":[1,{"d":2}]},"e":{}},"Severity":"mine","bad key!":null,"a_b_c":true}"#,
    );
    let expected = json!({
        "x_id": 7, "x_Type": "x", "a_b_c": [1, { "d": 2 }], "a_e": {}, "Severity_2": "mine", "bad_key_": null, "a_b_c_2": true,
    });
    assert!(expected.as_object().unwrap().iter().all(|(key, value)| &row[key] == value), "{row}");
    assert_eq!(row["Severity"], "High", "the envelope's columns keep their names");
}

#[test]
fn an_event_without_an_id_is_known_by_its_key() {
    let row: Value =
        serde_json::from_str(&text(&settings(), &Event { id: String::new(), ..event("{}") })).unwrap();
    assert_eq!(
        (&row["EventId"], &row["EventKey"]),
        (&row["EventKey"], &json!("00112233445566778899aabbccddeeff"))
    );
}

#[test]
fn suffixes_name_the_type_and_can_be_forced_or_forbidden() {
    let document = r#"{"s":"x","n":-1.5,"b":false,"z":null,"l":[1]}"#;
    let always: Value =
        serde_json::from_str(&text(&with("suffixed_columns", "always"), &event(document))).unwrap();
    let expected = json!({ "s_s": "x", "n_d": -1.5, "b_b": false, "s": "x" });
    assert!(expected.as_object().unwrap().iter().all(|(key, value)| &always[key] == value), "{always}");
    assert!(always.get("z_s").is_none() && always.get("l_s").is_none());
    let keeptrusts = Event { producer: "keeptrusts".to_owned(), ..event(document) };
    assert!(!text(&with("suffixed_columns", "never"), &keeptrusts).contains("s_s"));
    assert!(text(&settings(), &keeptrusts).contains("s_s"));
}

#[test]
fn long_values_are_cut_between_characters_and_say_so() {
    let values = [
        format!("\"{}\"", "é".repeat(40_000)),
        format!("\"{}\"", r"\u0000".repeat(20_000)),
        format!("\"{}\"", r#"\""#.repeat(40_000)),
        format!("[{}1]", "12345678,".repeat(9_000)),
    ];
    for value in values {
        let row = row(&format!(r#"{{"long":{value}}}"#));
        let long = row["long"].as_str().unwrap();
        assert!(long.ends_with("… [truncated]"), "{}", &long[long.len() - 20..]);
        assert!((40_000..65_536).contains(&serde_json::to_string(long).unwrap().len()), "{}", long.len());
    }
    let whole = format!("\"{}\"", "a".repeat(59_000));
    assert_eq!(row(&format!(r#"{{"long":{whole}}}"#))["long"].as_str().unwrap().len(), 59_000);
}

#[test]
fn the_laws_hold_for_hostile_documents() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(64), "}".repeat(64));
    let wide: Vec<String> = (0..3_000).map(|number| format!("\"k{number}\":{{\"x\":{number}}}")).collect();
    let wide = format!("{{{}}}", wide.join(","));
    let documents = [
        "{}",
        r#"{"":{"":{"":1}}," ":2,"_":3,"__":4}"#,
        r#"{"a":1,"a":2,"\u0061":3,"TimeGenerated":"x","timeGenerated":"y"}"#,
        r#"{"a-b":1,"a.b":2,"a b":3,"a_b":4,"a":{"b":5},"a_b_2":6}"#,
        deep.as_str(),
        wide.as_str(),
    ];
    testkit::check_laws::<Sentinel>(&documents.map(event));
}

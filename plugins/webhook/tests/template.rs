//! Templates: what they make of an event, and what is wrong with them where.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_webhook::Webhook;
use siemaphore_sdk::Event;
use siemaphore_sdk::testkit::{self, event};

const DOCUMENT: &str = r#"{"user":{"email":"a@example.com","name":"A \"Q\" \u00e9"},"list":[1,{"b":null}],"n":-1.50,"none":null,"model":"gpt"}"#;

fn text(template: &str, event: &Event) -> String {
    let settings = json!({ "template": template }).to_string();
    testkit::configure::<Webhook>(&settings).unwrap().record(event)
}

fn filled(template: &str) -> Value {
    serde_json::from_str(&text(template, &event(DOCUMENT))).unwrap()
}

fn problem(template: &str) -> String {
    let settings = json!({ "template": template }).to_string();
    let problems = testkit::configure::<Webhook>(&settings).unwrap_err();
    let [problem] = problems.as_slice() else { panic!("not one problem: {problems:?}") };
    assert_eq!(problem.pointer, "/template", "{}", problem.message);
    problem.message.clone()
}

#[test]
fn alone_a_placeholder_is_a_value_of_its_own_kind() {
    let template = r#"{"a":{{event_type}},"b":{{timestamp_ms}},"c":{{document:/list}},"d":{{document:/n}},"e":[{{document:/user}},{{ key }}],"f":{{timestamp_s}}}"#;
    assert_eq!(
        filled(template),
        json!({ "a": "dlp.pii_blocked", "b": 1_780_949_730_000_u64, "c": [1, { "b": null }], "d": -1.5,
                "e": [{ "email": "a@example.com", "name": "A \"Q\" é" }, "00112233445566778899aabbccddeeff"],
                "f": 1_780_949_730 })
    );
    assert!(
        text(r#"{"d":{{document:/n}}}"#, &event(DOCUMENT)).contains("-1.50"),
        "a number keeps its digits"
    );
}

#[test]
fn within_a_text_a_placeholder_is_text() {
    let template = r#"{"a":"<{{severity}}> {{document:/user/name}} {{document:/n}}{{document:/list}}","b":"{{document}}"}"#;
    let filled = filled(template);
    assert_eq!(filled["a"], "<high> A \"Q\" é -1.50[1,{\"b\":null}]");
    assert_eq!(filled["b"], DOCUMENT);
}

#[test]
fn what_an_event_does_not_have_is_null_alone_and_nothing_in_a_text() {
    let template =
        r#"{"a":{{project}},"b":{{document:/nowhere}},"c":"<{{project}}{{policy}}>","d":{{document:/none}}}"#;
    assert_eq!(filled(template), json!({ "a": null, "b": null, "c": "<>", "d": null }));
    let nameless = Event { id: String::new(), ..event("{}") };
    assert_eq!(text(r#"{"id":{{id}}}"#, &nameless), r#"{"id":null}"#);
}

#[test]
fn facts_have_the_names_of_the_setting_fields() {
    let template = r#"{"e":{{user_email}},"m":{{model}},"d":{{decision}}}"#;
    assert_eq!(filled(template), json!({ "e": "a@example.com", "m": "gpt", "d": "blocked" }));
    let settings = json!({ "template": template, "fields": { "model": "/user/email" } }).to_string();
    let record = testkit::configure::<Webhook>(&settings).unwrap().record(&event(DOCUMENT));
    assert!(record.contains(r#""m":"a@example.com""#), "{record}");
}

#[test]
fn a_record_is_one_line_however_the_template_is_laid_out() {
    let template = "{\n\t\"a b\" : \"c  d\" ,\r\n  \"e\": {{severity}}\n}\n";
    assert_eq!(text(template, &event("{}")), r#"{"a b":"c  d","e":"high"}"#);
}

#[test]
fn braces_that_are_not_a_placeholder_are_left_alone() {
    assert_eq!(filled(r#"{"a":"{ {key} \u007b{key}}","b":{"c":{"d":1}}}"#)["a"], "{ {key} {{key}}");
    assert_eq!(filled(r#"{"a":{"b":{{severity}}}}"#), json!({ "a": { "b": "high" } }));
}

#[test]
fn values_cannot_break_out_of_their_place() {
    let hostile = Event {
        event_type: "\"},{\"x\":\"\n\u{0}{{key}}\\".to_owned(),
        organization: "\\".to_owned(),
        ..event(r#"{"a":"\"}{{key}}"}"#)
    };
    let template = r#"{"t":"{{event_type}}{{organization}}","u":{{event_type}},"v":"{{document:/a}}"}"#;
    let filled: Value = serde_json::from_str(&text(template, &hostile)).unwrap();
    assert_eq!(filled["t"], "\"},{\"x\":\"\n\u{0}{{key}}\\\\");
    assert_eq!(filled["u"], hostile.event_type);
    assert_eq!(filled["v"], "\"}{{key}}");
}

#[test]
fn an_error_says_where_it_is() {
    for (template, place, words) in [
        ("{\n  \"a\": {{evnt_type}}\n}", "(line 2, column 8)", "there is no placeholder \"evnt_type\""),
        (r#"{"a":"{{key"}"#, "(line 1, column 7)", "does not end"),
        (r#"{"{{key}}":1}"#, "(line 1, column 3)", "part of a name"),
        ("{\"{{key}}x\"\n :1}", "(line 1, column 3)", "part of a name"),
        (r#"{"a":{{document:user}}}"#, "(line 1, column 6)", "not a JSON Pointer"),
        (r#"{"a":{{document:/a~1b}}}"#, "(line 1, column 6)", "cannot be reached"),
        ("{\"a\":{{key}}\n\"b\":1}", "line 2 column 1", "not JSON"),
        (r#"{"a":1{{key}}}"#, "line 1 column 7", "not JSON"),
        (r#"{"a":{{key}}{{id}}}"#, "line 1 column 13", "not JSON"),
        (r#"{"a":"\u00{{key}}"}"#, "line 1 column", "not JSON"),
        (r#"{"a":"\ud800"}"#, "line 1 column", "not JSON"),
        (r#"{"a":1,}"#, "line 1 column 8", "not JSON"),
    ] {
        let message = problem(template);
        assert!(message.contains(place) && message.contains(words), "{template}: {message}");
    }
}

#[test]
fn a_template_is_an_object_whose_names_are_unique() {
    for template in ["{{document}}", "[{{document}}]", "\"{{key}}\"", "7"] {
        assert!(problem(template).contains("not a JSON object"), "{template}");
    }
    assert!(problem(r#"{"a":1,"\u0061":2}"#).contains("comes twice"));
    assert!(problem(r#"{"a":{"b":1,"b":{{key}}}}"#).contains("comes twice"));
}

#[test]
fn a_template_of_any_size_and_depth_is_judged_without_a_crash() {
    assert!(problem(&"[".repeat(100_000)).contains("not JSON"));
    assert!(problem(&format!("{{\"a\":{}", "{\"a\":".repeat(10_000))).contains("not JSON"));
    let long = format!(r#"{{"a":"{}"}}"#, "{{key}}".repeat(1_000));
    assert_eq!(filled(&long)["a"].as_str().unwrap().len(), 32_000);
}

//! What is removed, what is not, and what stands in its place.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use siemaphore_model::normalise::{Context, EVENT_BYTES, NESTING, Normaliser, Refusal, Scratch};
use siemaphore_model::redaction::{Action, Place, Redaction, Rule};
use siemaphore_model::{EventBuffer, ProfileError};

const CONTEXT: Context<'static> = Context { organization: "acme", source: "gateway", received_ns: 1 };

fn normalise(profile: &str, redaction: &Redaction, raw: &str) -> Result<(String, usize), Refusal> {
    let normaliser = Normaliser::new(profile, redaction).unwrap();
    let mut buffer = EventBuffer::new();
    let redacted = normaliser.normalise(raw, &CONTEXT, &mut Scratch::default(), &mut buffer);
    assert_eq!(buffer.len(), usize::from(redacted.is_ok()), "{raw}");
    let redacted = redacted?;
    let event = buffer.iter().next().unwrap();
    Ok((event.document().to_owned(), redacted.redacted))
}

fn check(redaction: &Redaction, raw: &str, expected: &str, redacted: usize) {
    assert_eq!(normalise("auto", redaction, raw), Ok((expected.to_owned(), redacted)), "{raw}");
}

fn rules(rules: &[(Place, Action)]) -> Redaction {
    let rules = rules.iter().map(|(place, action)| Rule { place: place.clone(), action: *action }).collect();
    Redaction { defaults: true, rules }
}

fn key(key: &str) -> Place {
    Place::Key(key.to_owned())
}

fn pointer(pointer: &str) -> Place {
    Place::Pointer(pointer.to_owned())
}

#[test]
fn content_and_credentials_are_dropped_at_any_depth() {
    for (raw, expected, redacted) in [
        (r#"{"prompt":"x"}"#, r#"{"prompt":"[redacted]"}"#, 1),
        (r#"{"a":[{"b":{"Api-Key":17}}]}"#, r#"{"a":[{"b":{"Api-Key":"[redacted]"}}]}"#, 1),
        (r#"{"messages":[{"role":"user","content":"x"}],"n":1}"#, r#"{"messages":"[redacted]","n":1}"#, 1),
        (r#"{"password":"x","password":"y"}"#, r#"{"password":"[redacted]","password":"[redacted]"}"#, 2),
        (r#"{"p\u0061ssw\u006frd":"x"}"#, r#"{"p\u0061ssw\u006frd":"[redacted]"}"#, 1),
        (
            r#"{"response":"x","b":{"response":{"status":200}}}"#,
            r#"{"response":"[redacted]","b":{"response":{"status":200}}}"#,
            1,
        ),
        (
            r#"{"tool_call":{"parameters":{"q":1},"tool_name":"t"}}"#,
            r#"{"tool_call":{"parameters":"[redacted]","tool_name":"t"}}"#,
            1,
        ),
        (
            r#"{"choices":[{"text":"x"},{"text":"y"}]}"#,
            r#"{"choices":[{"text":"[redacted]"},{"text":"[redacted]"}]}"#,
            2,
        ),
        (r#"{"secret":true,"token":null,"input":false}"#, r#"{"secret":true,"token":null,"input":false}"#, 0),
        (
            r#"{"input_tokens":5,"input_type":"text","result":"allowed","message":"m"}"#,
            r#"{"input_tokens":5,"input_type":"text","result":"allowed","message":"m"}"#,
            0,
        ),
    ] {
        check(&Redaction::default(), raw, expected, redacted);
        check(&Redaction::off(), raw, raw, 0);
    }
}

#[test]
fn the_operators_rules_hash_mask_truncate_and_keep() {
    let hash = format!("\"sha256:{}\"", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    for (place, action, raw, expected) in [
        (
            pointer("/who/email"),
            Action::Hash,
            r#"{"who":{"email":"abc"}}"#,
            format!(r#"{{"who":{{"email":{hash}}}}}"#),
        ),
        (key("email"), Action::Hash, r#"{"Email":"\u0061bc"}"#, format!(r#"{{"Email":{hash}}}"#)),
        (key("card"), Action::Mask, r#"{"card":"4111111111111111"}"#, r#"{"card":"****1111"}"#.to_owned()),
        (key("card"), Action::Mask, r#"{"card":"41111111111"}"#, r#"{"card":"****"}"#.to_owned()),
        (key("card"), Action::Mask, r#"{"card":4111111111111111}"#, r#"{"card":"****"}"#.to_owned()),
        (key("note"), Action::Truncate(3), r#"{"note":"aé\"xyz"}"#, r#"{"note":"aé\"…"}"#.to_owned()),
        (key("note"), Action::Truncate(3), r#"{"note":"abc"}"#, r#"{"note":"abc"}"#.to_owned()),
        (key("note"), Action::Truncate(3), r#"{"note":[1]}"#, r#"{"note":"[redacted]"}"#.to_owned()),
        (key("note"), Action::Drop, r#"{"note":[1,{"b":2}]}"#, r#"{"note":"[redacted]"}"#.to_owned()),
        (
            pointer("/list/*/id"),
            Action::Drop,
            r#"{"list":[{"id":1},{"id":"2"}]}"#,
            r#"{"list":[{"id":"[redacted]"},{"id":"[redacted]"}]}"#.to_owned(),
        ),
    ] {
        let document = normalise("auto", &rules(&[(place, action)]), raw).unwrap().0;
        assert_eq!(document, expected, "{raw} with {action:?}");
    }
    let keep = rules(&[(key("messages"), Action::Keep)]);
    check(
        &keep,
        r#"{"messages":[{"role":"u","content":"x"}]}"#,
        r#"{"messages":[{"role":"u","content":"[redacted]"}]}"#,
        1,
    );
    let both = rules(&[(pointer("/prompt"), Action::Keep), (key("prompt"), Action::Mask)]);
    check(&both, r#"{"prompt":"x","a":{"prompt":"x"}}"#, r#"{"prompt":"x","a":{"prompt":"****"}}"#, 1);
}

#[test]
fn what_is_redacted_is_not_in_the_envelope_either() {
    let redaction = rules(&[(pointer("/request_id"), Action::Drop), (pointer("/project_id"), Action::Mask)]);
    let normaliser = Normaliser::new("aisg", &redaction).unwrap();
    let mut buffer = EventBuffer::new();
    let raw = r#"{"event_type":"t","request_id":"hush","project_id":"hush","source":"aisg"}"#;
    normaliser.normalise(raw, &CONTEXT, &mut Scratch::default(), &mut buffer).unwrap();
    let event = buffer.iter().next().unwrap();
    assert_eq!((event.id(), event.project(), event.event_type()), ("", None, "t"));
    assert!(!buffer.as_bytes().windows(4).any(|bytes| bytes == b"hush"));
}

#[test]
fn rules_that_cannot_work_are_named() {
    let error = |place| Normaliser::new("auto", &rules(&[(place, Action::Drop)])).unwrap_err();
    assert_eq!(error(pointer("a")), ProfileError::Pointer { pointer: "a".to_owned() });
    assert_eq!(error(key("")), ProfileError::Key { key: String::new() });
}

#[test]
fn a_document_is_one_line_and_otherwise_as_it_was_written() {
    let off = Redaction::off();
    check(
        &off,
        " \n{\r\n  \"a\" : [ 1,\n 2 ] ,\t\"b\":\"x\\ny\"\n}\n",
        "{\"a\" : [ 1,2 ] ,\t\"b\":\"x\\ny\"}",
        0,
    );
    check(
        &off,
        r#"{"n":1.50e+3,"n":12345678901234567890.123,"e":"\u00e9"}"#,
        r#"{"n":1.50e+3,"n":12345678901234567890.123,"e":"\u00e9"}"#,
        0,
    );
    check(
        &off,
        r#"{"a":"\ud83d!","\udc00":1,"c":"\ud83d\ude00"}"#,
        r#"{"a":"\ufffd!","\ufffd":1,"c":"\ud83d\ude00"}"#,
        0,
    );
}

#[test]
fn limits_hold_at_their_border() {
    let nested = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
    normalise("auto", &Redaction::off(), &nested(NESTING)).unwrap();
    let error = normalise("auto", &Redaction::off(), &nested(NESTING + 1)).unwrap_err();
    assert!(matches!(error, Refusal::TooDeep { limit: NESTING, .. }), "{error}");
    let hidden = nested(NESTING + 1).replace("\"a\"", "\"prompt\"");
    normalise("auto", &Redaction::default(), &hidden).unwrap_err();

    let padded = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
    normalise("auto", &Redaction::off(), &padded(EVENT_BYTES)).unwrap();
    let error = normalise("auto", &Redaction::off(), &padded(EVENT_BYTES + 1)).unwrap_err();
    assert_eq!(error, Refusal::TooLarge { bytes: EVENT_BYTES + 1, limit: EVENT_BYTES });
    let growing = format!("{{{}\"a\":1}}", "\"token\":1,".repeat(EVENT_BYTES / 10 - 10));
    assert!(matches!(normalise("auto", &Redaction::default(), &growing), Err(Refusal::TooLarge { .. })));
}

#[test]
fn a_refusal_says_where() {
    let error = normalise("auto", &Redaction::off(), "{\n \"a\": tru }").unwrap_err();
    assert_eq!(error.to_string(), "not valid JSON: a value is expected at byte 8 (line 2, column 7)");
    assert!(error.is_syntax());
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![".{0,12}", Just("2026-06-08T20:15:30Z".to_owned()), Just("critical".to_owned())];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            members(inner).prop_map(Value::from),
        ]
    })
}

fn members(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof![
        ".{0,8}",
        Just("prompt".to_owned()),
        Just("api_key".to_owned()),
        Just("Messages".to_owned()),
        Just("response".to_owned()),
        Just("timestamp".to_owned()),
        Just("severity".to_owned()),
        Just("facts".to_owned()),
    ];
    proptest::collection::vec((key, value), 0..8).prop_map(|members| members.into_iter().collect())
}

/// What redaction should do, written for values and not for text.
fn redact(value: &Value) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(redact).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| {
                let folded = key.replace('_', "").to_lowercase();
                let dropped = match value {
                    Value::Null | Value::Bool(_) => false,
                    Value::String(_) => {
                        ["prompt", "apikey", "messages", "response"].contains(&folded.as_str())
                    }
                    _ => ["prompt", "apikey", "messages"].contains(&folded.as_str()),
                };
                (key.clone(), if dropped { json!("[redacted]") } else { redact(value) })
            })
            .collect(),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_object_is_stored_as_it_was_except_what_is_redacted(members in members(any_json()), pretty in any::<bool>()) {
        let value = Value::from(members);
        let raw = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        // As serde_json reads it: its default reading of floats is not exact to the last digit.
        let value: Value = serde_json::from_str(&raw).unwrap();
        let (document, _) = normalise("auto", &Redaction::default(), &raw).unwrap();
        prop_assert!(!document.contains(['\n', '\r']));
        prop_assert_eq!(serde_json::from_str::<Value>(&document).unwrap(), redact(&value));
        let (document, redacted) = normalise("auto", &Redaction::off(), &raw).unwrap();
        prop_assert_eq!(redacted, 0);
        prop_assert_eq!(serde_json::from_str::<Value>(&document).unwrap(), value);
    }

    #[test]
    fn text_is_accepted_exactly_when_serde_json_reads_an_object(raw in r#"\{("a":|[\[\]{}:,"\\0-9aeEntruflsd.+ -]|"b"|true|\\u00e9){0,12}\}"#) {
        let readable = serde_json::from_str::<serde::de::IgnoredAny>(&raw).is_ok();
        let accepted = normalise("auto", &Redaction::default(), &raw);
        prop_assert_eq!(accepted.is_ok(), readable, "{}: {:?}", raw, accepted);
    }

    #[test]
    fn a_change_of_one_byte_is_judged_as_serde_json_judges_it(members in members(any_json()), at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut bytes = serde_json::to_vec(&members).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = with;
        if let Ok(raw) = std::str::from_utf8(&bytes) {
            let readable = raw.trim_ascii_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(raw).is_ok();
            match normalise("auto", &Redaction::default(), raw) {
                Ok(_) => prop_assert!(readable, "{}", raw),
                Err(refusal) => prop_assert!(!(readable && refusal.is_syntax()), "{}: {}", raw, refusal),
            }
        }
    }
}

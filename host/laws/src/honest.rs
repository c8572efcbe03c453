//! Whether a record is what its content type and its framing say.
//!
//! JSON and lines of JSON are checked, and the encoding of text. Of other content types nothing is known here.

use serde::de::IgnoredAny;
use siemaphore_model::formatter::{Framing, RequestProfile};

/// What records have to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Each record by itself is one JSON value.
    Value,
    /// One JSON value or several, one after the other.
    Values,
    /// A JSON value on each line.
    Lines,
    /// A JSON value together with what the host writes around it.
    Enclosed {
        prefix: Vec<u8>,
        suffix: Vec<u8>,
    },
    Utf8,
    Bytes,
}

impl Kind {
    pub(crate) fn of(profile: &RequestProfile) -> Kind {
        let content_type = profile.content_type.to_ascii_lowercase();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        // In an array they have to be JSON, whatever it is called.
        match (&profile.framing, essence) {
            (Framing::JsonArray, _) => Kind::Value,
            (
                _,
                "application/x-ndjson"
                | "application/ndjson"
                | "application/jsonl"
                | "application/x-jsonlines",
            ) => Kind::Lines,
            (framing, json) if is_json(json) => match framing {
                Framing::JsonArray | Framing::OnePerRequest => Kind::Value,
                Framing::Newline | Framing::Concatenated => Kind::Values,
                Framing::Enclosed { prefix, suffix, .. } => {
                    Kind::Enclosed { prefix: prefix.clone(), suffix: suffix.clone() }
                }
            },
            (_, text) if text.starts_with("text/") && is_utf8(&content_type) => Kind::Utf8,
            _ => Kind::Bytes,
        }
    }

    /// What is wrong with a record.
    pub(crate) fn check(&self, record: &[u8]) -> Result<(), String> {
        match self {
            Kind::Value => one_value(record),
            Kind::Values => several_values(record),
            Kind::Lines => lines(record),
            Kind::Enclosed { prefix, suffix } => one_value(&[prefix, record, suffix].concat())
                .map_err(|problem| format!("between the framing's prefix and suffix, {problem}")),
            Kind::Utf8 => utf8(record).map(|_| ()),
            Kind::Bytes => Ok(()),
        }
    }
}

fn is_json(essence: &str) -> bool {
    matches!(essence, "application/json" | "text/json") || essence.ends_with("+json")
}

/// Text without a charset is UTF-8, as everything is that comes in.
fn is_utf8(content_type: &str) -> bool {
    match content_type.split_once("charset=") {
        Some((_, charset)) => charset.trim_start_matches('"').starts_with("utf-8"),
        None => true,
    }
}

fn utf8(record: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(record)
        .map_err(|error| format!("the record is not UTF-8 from its byte {} on", error.valid_up_to()))
}

fn one_value(record: &[u8]) -> Result<(), String> {
    // Nothing is kept of the value, and no nesting is too deep for that.
    serde_json::from_str::<IgnoredAny>(utf8(record)?).map(|_| ()).map_err(not_json)
}

fn several_values(record: &[u8]) -> Result<(), String> {
    let values = serde_json::Deserializer::from_str(utf8(record)?).into_iter::<IgnoredAny>();
    let mut count = 0;
    for value in values {
        value.map_err(not_json)?;
        count += 1;
    }
    if count == 0 { Err("the record holds no JSON".to_owned()) } else { Ok(()) }
}

fn lines(record: &[u8]) -> Result<(), String> {
    let mut count = 0;
    for line in utf8(record)?.split('\n').filter(|line| !line.trim().is_empty()) {
        serde_json::from_str::<IgnoredAny>(line).map_err(not_json)?;
        count += 1;
    }
    if count == 0 { Err("the record holds no line of JSON".to_owned()) } else { Ok(()) }
}

fn not_json(error: serde_json::Error) -> String {
    format!("the record is not JSON: {error}")
}

#[cfg(test)]
mod tests {
    use siemaphore_model::formatter::{Limits, Method};

    use super::*;

    fn kind(content_type: &str, framing: Framing) -> Kind {
        Kind::of(&RequestProfile {
            method: Method::Post,
            path: "/".to_owned(),
            query: Vec::new(),
            content_type: content_type.to_owned(),
            headers: Vec::new(),
            follow_up_path: None,
            sticky: false,
            framing,
            limits: Limits { records: 1, body_bytes: 1, record_bytes: 1 },
            compression: Vec::new(),
            probe: None,
            replay_window: None,
        })
    }

    #[test]
    fn what_a_record_has_to_be_follows_from_content_type_and_framing() {
        let enclosed =
            || Framing::Enclosed { prefix: b"{".to_vec(), separator: Vec::new(), suffix: b"}".to_vec() };
        for (content_type, framing, expected) in [
            ("application/json", Framing::OnePerRequest, Kind::Value),
            ("Application/JSON; charset=utf-8", Framing::OnePerRequest, Kind::Value),
            ("application/cloudevents+json", Framing::OnePerRequest, Kind::Value),
            ("application/json", Framing::Newline, Kind::Values),
            ("application/json", Framing::Concatenated, Kind::Values),
            ("application/json", enclosed(), Kind::Enclosed { prefix: b"{".to_vec(), suffix: b"}".to_vec() }),
            ("application/octet-stream", Framing::JsonArray, Kind::Value),
            ("application/x-ndjson", Framing::Newline, Kind::Lines),
            ("application/x-ndjson", Framing::Concatenated, Kind::Lines),
            ("text/plain", Framing::Newline, Kind::Utf8),
            ("text/plain; charset=\"UTF-8\"", Framing::Newline, Kind::Utf8),
            ("text/plain; charset=iso-8859-1", Framing::Newline, Kind::Bytes),
            ("application/x-protobuf", Framing::OnePerRequest, Kind::Bytes),
            ("", Framing::Concatenated, Kind::Bytes),
        ] {
            assert_eq!(kind(content_type, framing.clone()), expected, "{content_type} {framing:?}");
        }
    }

    #[test]
    fn honest_records_are_taken_and_others_are_told() {
        let enclosed = || Kind::Enclosed { prefix: b"{\"events\":[".to_vec(), suffix: b"]}".to_vec() };
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for (kind, record, expected) in [
            (Kind::Value, &br#"{"a":1e400,"a":2}"#[..], None),
            (Kind::Value, deep.as_bytes(), None),
            (Kind::Value, b"{} {}", Some("not JSON: trailing characters")),
            (Kind::Value, b"1,2", Some("not JSON")),
            (Kind::Value, b"{\"a\":NaN}", Some("not JSON")),
            (Kind::Value, b"\"a\nb\"", Some("not JSON: control character")),
            (Kind::Value, b"{\"a\":\"\xff\"}", Some("not UTF-8 from its byte 6 on")),
            (Kind::Values, b"{}{} 1\n", None),
            (Kind::Values, b"{}{", Some("not JSON")),
            (Kind::Values, b" ", Some("holds no JSON")),
            (Kind::Lines, b"{\"create\":{}}\n{\"a\":1}\n", None),
            (Kind::Lines, b"{\"a\":\n1}", Some("not JSON")),
            (Kind::Lines, b"\n", Some("no line of JSON")),
            (enclosed(), b"{}", None),
            (enclosed(), b"{},", Some("between the framing's prefix and suffix, the record is not JSON")),
            (Kind::Utf8, "zażółć\0".as_bytes(), None),
            (Kind::Utf8, b"caf\xe9", Some("not UTF-8 from its byte 3 on")),
            (Kind::Bytes, b"\xff", None),
        ] {
            let problem = kind.check(record).err();
            let shown = String::from_utf8_lossy(&record[..record.len().min(40)]);
            match (&problem, expected) {
                (None, None) => {}
                (Some(problem), Some(expected)) if problem.contains(expected) => {}
                _ => panic!("{kind:?} {shown}: {problem:?}"),
            }
        }
    }
}

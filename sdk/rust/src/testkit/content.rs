//! The fifth law: records are what the profile's content type says, alone and within their framing.

use crate::json::{Names, scan};
use crate::{Enclosure, Framing, RequestProfile};

/// What a record of this type is made of.
enum Content {
    /// A record is one JSON value.
    Json,
    /// A record is whole lines, each of them a JSON value.
    Lines,
    /// Nothing is known that could be checked.
    Other,
}

/// # Panics
///
/// When a record, or a body of all of them, is something else than its content type says.
pub(super) fn check(profile: &RequestProfile, records: &[&str]) {
    for record in records {
        assert!(!record.is_empty(), "an empty record is none");
        let one_line = profile.framing != Framing::Newline || !record.contains('\n');
        assert!(one_line, "a raw newline in {record}");
    }
    match content(&profile.content_type) {
        Content::Json => {
            records.iter().for_each(|record| check_value(record));
            if matches!(profile.framing, Framing::JsonArray | Framing::Enclosed(_)) {
                check_value(&body(&profile.framing, records));
            }
        }
        Content::Lines => match profile.framing {
            // Each record is a body of its own.
            Framing::OnePerRequest => records.iter().for_each(|record| check_lines(record)),
            _ => check_lines(&body(&profile.framing, records)),
        },
        Content::Other => {}
    }
}

fn content(content_type: &str) -> Content {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/json" => Content::Json,
        structured if structured.ends_with("+json") => Content::Json,
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Content::Lines,
        _ => Content::Other,
    }
}

/// As the host frames them.
fn body(framing: &Framing, records: &[&str]) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("an enclosure is UTF-8");
    match framing {
        Framing::JsonArray => format!("[{}]", records.join(",")),
        Framing::Newline => records.iter().map(|record| format!("{record}\n")).collect(),
        Framing::Concatenated | Framing::OnePerRequest => records.concat(),
        Framing::Enclosed(Enclosure { prefix, separator, suffix }) => {
            format!("{}{}{}", text(prefix), records.join(&text(separator)), text(suffix))
        }
    }
}

fn check_lines(lines: &str) {
    assert!(lines.is_empty() || lines.ends_with('\n'), "the last line does not end: {lines}");
    lines.lines().for_each(check_value);
}

fn check_value(value: &str) {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(value);
    assert!(parsed.is_ok(), "not JSON: {value}");
    assert_keys_are_unique(value);
}

/// Most parsers silently keep one of two members with the same key: which one is anybody's guess.
fn assert_keys_are_unique(object: &str) {
    let mut names = Names::default();
    for member in scan::members(object) {
        assert!(names.insert(member.key()), "the key {} comes twice in {object}", member.raw_key);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::Limits;

    fn passes(content_type: &str, framing: Framing, records: &[&str]) -> bool {
        let limits = Limits { records: 1, body_bytes: 1, record_bytes: 1 };
        let content_type = content_type.to_owned();
        let profile = RequestProfile { content_type, ..RequestProfile::post_json("/", framing, limits) };
        catch_unwind(|| check(&profile, records)).is_ok()
    }

    fn enclosed(prefix: &str, separator: &str, suffix: &str) -> Framing {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let (prefix, separator, suffix) = (bytes(prefix), bytes(separator), bytes(suffix));
        Framing::Enclosed(Enclosure { prefix, separator, suffix })
    }

    #[test]
    fn records_are_json_and_so_is_what_encloses_them() {
        let json = |framing, records: &[&str]| passes("application/json; charset=utf-8", framing, records);
        assert!(json(Framing::JsonArray, &["{}", "[1]"]) && json(Framing::Concatenated, &["{}", "{}"]));
        assert!(json(enclosed("{\"logs\":[", ",", "]}"), &["{}", "{}"]) && json(Framing::Newline, &["7"]));
        assert!(!json(enclosed("{\"logs\":[", "", "]}"), &["{}", "{}"]), "the separator is missing");
        assert!(!json(enclosed("{\"logs\":[", ",", "]"), &["{}"]), "the end is missing");
        for record in ["", "{", "text", "{}{}", "{\"a\":1,\"\\u0061\":2}"] {
            assert!(!json(Framing::OnePerRequest, &[record]), "{record}");
        }
        assert!(!json(Framing::Newline, &["{\n}"]));
        assert!(!passes("application/cloudevents+json", Framing::Newline, &["text"]));
    }

    #[test]
    fn lines_are_json_and_all_of_them_end() {
        let lines = |framing, records: &[&str]| passes("application/x-ndjson", framing, records);
        assert!(lines(Framing::Newline, &["{}", "{}"]) && lines(Framing::OnePerRequest, &["{}\n"]));
        assert!(lines(Framing::Concatenated, &["{}\n{\"a\":1}\n", "{}\n"]));
        assert!(!lines(Framing::Concatenated, &["{}\n{}"]) && !lines(Framing::OnePerRequest, &["{}"]));
        assert!(!lines(Framing::Concatenated, &["{}\n\n"]), "an empty line is no value");
        assert!(!lines(Framing::JsonArray, &["{}"]), "a list is no line that ends");
        for line in ["{", "text", "{}{}", "{\"a\":1,\"a\":2}"] {
            assert!(!lines(Framing::Newline, &["{}", line]), "{line}");
        }
    }

    #[test]
    fn of_another_type_only_the_framing_is_known() {
        let other = |records: &[&str]| passes("text/plain", Framing::Newline, records);
        assert!(other(&["CEF:0|"]));
        assert!(!other(&["a\nb"]) && !other(&[""]));
    }
}

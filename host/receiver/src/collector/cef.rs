//! CEF lines: `CEF:0|vendor|product|version|class id|name|severity|extension`.
//!
//! Parsers find a pair by its `key=`, so an equals sign in a value that is not escaped begins a key that nobody meant.
//! To see that, only the keys of the producer dictionary are taken, and those that begin with a vendor's name.

use serde_json::{Map, Value, json};

use super::Parsed;
use crate::answer::Record;

/// The names of the header's fields after the version, and their greatest lengths.
const HEADER: [(&str, usize); 6] =
    [("vendor", 63), ("product", 63), ("version", 31), ("class_id", 1_023), ("name", 512), ("severity", 2)];

#[derive(Clone, Copy)]
enum Kind {
    Text(usize),
    /// Milliseconds since 1970: thirteen digits.
    Time,
    /// An address of version 4.
    Address4,
    Address6,
    Number,
    /// A text with a label beside it.
    Labelled(usize),
    LabelledNumber,
}

/// Of the producer dictionary, what the parser knows.
const KEYS: &[(&str, Kind)] = &[
    ("rt", Kind::Time),
    ("start", Kind::Time),
    ("end", Kind::Time),
    ("act", Kind::Text(63)),
    ("app", Kind::Text(31)),
    ("cat", Kind::Text(1_023)),
    ("msg", Kind::Text(1_023)),
    ("reason", Kind::Text(1_023)),
    ("outcome", Kind::Text(63)),
    ("externalId", Kind::Text(40)),
    ("suser", Kind::Text(1_023)),
    ("duser", Kind::Text(1_023)),
    ("suid", Kind::Text(1_023)),
    ("duid", Kind::Text(1_023)),
    ("shost", Kind::Text(1_023)),
    ("dhost", Kind::Text(1_023)),
    ("dvchost", Kind::Text(100)),
    ("src", Kind::Address4),
    ("dst", Kind::Address4),
    ("c6a1", Kind::Address6),
    ("sourceServiceName", Kind::Text(1_023)),
    ("destinationServiceName", Kind::Text(1_023)),
    ("request", Kind::Text(1_023)),
    ("cnt", Kind::Number),
    ("cs1", Kind::Labelled(4_000)),
    ("cs2", Kind::Labelled(4_000)),
    ("cs3", Kind::Labelled(4_000)),
    ("cs4", Kind::Labelled(4_000)),
    ("cs5", Kind::Labelled(4_000)),
    ("cs6", Kind::Labelled(4_000)),
    ("cn1", Kind::LabelledNumber),
    ("cn2", Kind::LabelledNumber),
    ("cn3", Kind::LabelledNumber),
];

/// How keys of the formatter's vendor begin.
const OWN_PREFIX: &str = "Siemaphore";

pub(super) fn parse(line: &str) -> Result<Parsed, String> {
    let rest = line.strip_prefix("CEF:0|").ok_or("it does not begin with CEF:0|")?;
    if line.chars().any(|character| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')) {
        return Err("a control character ends the line for some readers".to_owned());
    }
    let (header, extension) = header(rest)?;
    let extension = pairs(extension)?;
    let violations = extension.iter().filter_map(|(key, value)| problem(key, value, &extension)).collect();
    let value = json!({ "header": header, "extension": extension });
    Ok(Parsed { record: Record { value, raw: line.to_owned() }, violations })
}

fn header(line: &str) -> Result<(Map<String, Value>, &str), String> {
    let mut fields = Map::new();
    let mut rest = line;
    for (name, most) in HEADER {
        let (field, after) = header_field(rest).map_err(|reason| format!("{name}: {reason}"))?;
        if field.is_empty() || field.len() > most {
            return Err(format!("{name} has {} bytes, not 1 to {most}", field.len()));
        }
        fields.insert(name.to_owned(), Value::String(field));
        rest = after;
    }
    let severity = fields.get("severity").and_then(Value::as_str).and_then(|text| text.parse::<u8>().ok());
    match severity {
        Some(0..=10) => Ok((fields, rest)),
        _ => Err("the severity is not a number from 0 to 10".to_owned()),
    }
}

/// Up to the next pipe that is not escaped.
fn header_field(text: &str) -> Result<(String, &str), String> {
    let mut field = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '|' => return Ok((field, text.get(at + 1..).unwrap_or_default())),
            '\\' => match characters.next() {
                Some((_, escaped @ ('\\' | '|'))) => field.push(escaped),
                other => {
                    return Err(format!("a backslash before {:?} in the header", other.map(|(_, one)| one)));
                }
            },
            character => field.push(character),
        }
    }
    Err("the header ends too early".to_owned())
}

fn pairs(extension: &str) -> Result<Map<String, Value>, String> {
    let mut pairs = Map::new();
    let mut rest = extension;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| format!("no key in {rest:?}"))?;
        if kind(key).is_none() {
            return Err(format!("{key:?} is no key that CEF or this vendor has"));
        }
        let end = value_end(after);
        let (value, next) = after.split_at_checked(end).unwrap_or((after, ""));
        if value.trim() != value || value.is_empty() {
            return Err(format!("the value of {key} is empty or has space around it: {value:?}"));
        }
        let value = unescape(value).map_err(|reason| format!("{key}: {reason}"))?;
        if pairs.insert(key.to_owned(), Value::String(value)).is_some() {
            return Err(format!("the key {key} comes twice"));
        }
        rest = next.strip_prefix(' ').unwrap_or(next);
    }
    Ok(pairs)
}

/// Where the value ends: at the space before the next `key=`.
fn value_end(text: &str) -> usize {
    let mut last_space = None;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ' ' => last_space = Some(at),
            '=' => return last_space.unwrap_or(at),
            _ => {}
        }
    }
    text.len()
}

fn unescape(value: &str) -> Result<String, String> {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some(escaped @ ('\\' | '=')) => text.push(escaped),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                other => return Err(format!("a backslash before {other:?} in the extension")),
            },
            ('=', _) => return Err(format!("an equals sign that is not escaped in {value:?}")),
            (character, _) => text.push(character),
        }
    }
    Ok(text)
}

fn kind(key: &str) -> Option<Kind> {
    let alphanumeric = key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if alphanumeric && key.len() > OWN_PREFIX.len() && key.starts_with(OWN_PREFIX) {
        return Some(Kind::Text(usize::MAX));
    }
    if let Some(labelled) = key.strip_suffix("Label") {
        let is_label =
            matches!(kind(labelled), Some(Kind::Labelled(_) | Kind::LabelledNumber | Kind::Address6));
        return is_label.then_some(Kind::Text(1_023));
    }
    KEYS.iter().find(|(known, _)| *known == key).map(|(_, kind)| *kind)
}

fn problem(key: &str, value: &Value, all: &Map<String, Value>) -> Option<String> {
    let text = value.as_str().unwrap_or_default();
    let kind = kind(key)?;
    let fits = match kind {
        Kind::Text(most) | Kind::Labelled(most) => text.len() <= most,
        Kind::Time => text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()),
        Kind::Address4 => text.parse::<std::net::Ipv4Addr>().is_ok(),
        Kind::Address6 => text.parse::<std::net::Ipv6Addr>().is_ok(),
        Kind::Number | Kind::LabelledNumber => text.parse::<i64>().is_ok(),
    };
    if !fits {
        return Some(format!("{key} does not take {text:?}"));
    }
    let needs_label = matches!(kind, Kind::Labelled(_) | Kind::LabelledNumber | Kind::Address6);
    (needs_label && !all.contains_key(&format!("{key}Label"))).then(|| format!("{key} has no {key}Label"))
}

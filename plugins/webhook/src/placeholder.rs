//! What a template can ask of an event.

use std::borrow::Cow;

use siemaphore_sdk::Event;
use siemaphore_sdk::facts::{Fact, Facts};
use siemaphore_sdk::json::Outline;

/// What stands between `{{` and `}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placeholder {
    Key,
    Id,
    EventType,
    Timestamp,
    /// Milliseconds since 1970.
    TimestampMs,
    /// Whole seconds since 1970.
    TimestampS,
    Severity,
    /// 1 for informational to 5 for critical.
    SeverityNumber,
    Source,
    Producer,
    Organization,
    Project,
    Document,
    /// What the document has at a JSON Pointer.
    At(String),
    Decision,
    Fact(Fact),
}

/// What an event answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Text(Cow<'a, str>),
    Json(&'a str),
    Number(u64),
    Nothing,
}

/// The placeholders that are not facts, by name.
const NAMED: [(&str, Placeholder); 14] = [
    ("key", Placeholder::Key),
    ("id", Placeholder::Id),
    ("event_type", Placeholder::EventType),
    ("timestamp", Placeholder::Timestamp),
    ("timestamp_ms", Placeholder::TimestampMs),
    ("timestamp_s", Placeholder::TimestampS),
    ("severity", Placeholder::Severity),
    ("severity_number", Placeholder::SeverityNumber),
    ("source", Placeholder::Source),
    ("producer", Placeholder::Producer),
    ("organization", Placeholder::Organization),
    ("project", Placeholder::Project),
    ("document", Placeholder::Document),
    ("decision", Placeholder::Decision),
];

impl Placeholder {
    pub(crate) fn named(name: &str) -> Result<Placeholder, String> {
        if let Some(pointer) = name.strip_prefix("document:") {
            return at(pointer);
        }
        let named =
            NAMED.iter().find(|(known, _)| *known == name).map(|(_, placeholder)| placeholder.clone());
        named.or_else(|| Fact::named(name).map(Placeholder::Fact)).ok_or_else(|| unknown(name))
    }

    pub(crate) fn value<'a>(
        &self,
        event: &'a Event,
        outline: &'a Outline<'a>,
        facts: &Facts<'a>,
    ) -> Value<'a> {
        const NS_PER_MS: u64 = 1_000_000;
        const NS_PER_S: u64 = 1_000_000_000;
        match self {
            Placeholder::Key => Value::text(&event.key),
            Placeholder::Id if event.id.is_empty() => Value::Nothing,
            Placeholder::Id => Value::text(&event.id),
            Placeholder::EventType => Value::text(&event.event_type),
            Placeholder::Timestamp => Value::text(&event.timestamp),
            Placeholder::TimestampMs => Value::Number(event.timestamp_ns / NS_PER_MS),
            Placeholder::TimestampS => Value::Number(event.timestamp_ns / NS_PER_S),
            Placeholder::Severity => Value::text(event.severity.as_str()),
            Placeholder::SeverityNumber => Value::Number(event.severity.pick([1, 2, 3, 4, 5])),
            Placeholder::Source => Value::text(&event.source),
            Placeholder::Producer => Value::text(&event.producer),
            Placeholder::Organization => Value::text(&event.organization),
            Placeholder::Project => event.project.as_deref().map_or(Value::Nothing, Value::text),
            Placeholder::Document => Value::Json(&event.document),
            Placeholder::At(pointer) => outline.pointer(pointer).map_or(Value::Nothing, Value::Json),
            Placeholder::Decision => Value::text(facts.decision().as_str()),
            Placeholder::Fact(fact) => facts.raw(*fact).map_or(Value::Nothing, Value::Json),
        }
    }
}

impl<'a> Value<'a> {
    fn text(text: &'a str) -> Value<'a> {
        Value::Text(Cow::Borrowed(text))
    }
}

fn at(pointer: &str) -> Result<Placeholder, String> {
    if !pointer.starts_with('/') {
        return Err(format!(
            "{pointer:?} is not a JSON Pointer: begin with /, as in {{{{document:/identity/email}}}}"
        ));
    }
    if pointer.contains('~') {
        return Err(format!("{pointer:?} cannot be reached: names with ~ or / in them cannot be asked for"));
    }
    Ok(Placeholder::At(pointer.to_owned()))
}

fn unknown(name: &str) -> String {
    let known = NAMED.iter().map(|(name, _)| *name).chain(Fact::ALL.into_iter().map(Fact::name));
    let known: Vec<&str> = known.collect();
    format!("there is no placeholder {name:?}: use document:/a/json/pointer, or one of {}", known.join(", "))
}

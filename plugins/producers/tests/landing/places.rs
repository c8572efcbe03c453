//! Two records of events that differ in one respect, and the places where they differ.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use siemaphore_sdk::facts::{Fact, FactPlaces, Facts};
use siemaphore_sdk::json::Outline;
use siemaphore_sdk::{Event, Severity};

use crate::Changed;
use crate::formatters::Formatted;

/// A cell with more places than this is harder to read than the record.
const SHOWN: usize = 3;

/// A respect in which events differ.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aspect {
    Severity,
    Time,
    Key,
    User,
    Outcome,
    Policy,
}

impl Aspect {
    pub(crate) const ALL: [Aspect; 6] =
        [Aspect::Severity, Aspect::Time, Aspect::Key, Aspect::User, Aspect::Outcome, Aspect::Policy];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Aspect::Severity => "severity",
            Aspect::Time => "time",
            Aspect::Key => "key",
            Aspect::User => "user",
            Aspect::Outcome => "outcome",
            Aspect::Policy => "policy",
        }
    }

    /// The event with other values; none when it has nothing of the kind.
    pub(crate) fn change(self, event: &Event) -> Option<Changed> {
        match self {
            Aspect::Severity => {
                Some(Severity::ALL.map(|severity| Event { severity, ..event.clone() }).to_vec())
            }
            // A day later, to the nanosecond.
            Aspect::Time => Some(vec![Event {
                timestamp: "2026-06-09T21:16:31.123456789Z".to_owned(),
                timestamp_ns: 1_781_039_791_123_456_789,
                ..event.clone()
            }]),
            Aspect::Key => {
                Some(vec![Event { key: "ffeeddccbbaa99887766554433221100".to_owned(), ..event.clone() }])
            }
            Aspect::User => with_other_values(
                event,
                &[(Fact::UserId, "canary-user"), (Fact::UserEmail, "canary@example.com")],
            ),
            Aspect::Outcome => {
                let words = ["blocked", "allowed", "redacted", "escalated", "canary-outcome"];
                let changed: Vec<Event> = words
                    .iter()
                    .filter_map(|word| with_other_values(event, &[(Fact::Outcome, word)]))
                    .flatten()
                    .collect();
                (!changed.is_empty()).then_some(changed)
            }
            Aspect::Policy => {
                with_other_values(event, &[(Fact::Policy, "canary-policy"), (Fact::Rule, "canary-rule")])
            }
        }
    }
}

/// The event with other texts where its document has these facts. None when it has none of them.
fn with_other_values(event: &Event, values: &[(Fact, &str)]) -> Option<Changed> {
    let outline = Outline::new(&event.document);
    let places = FactPlaces::default();
    let facts = Facts::new(event, &outline, &places);
    let mut document = event.document.clone();
    for (fact, value) in values {
        let Some(raw) = facts.raw(*fact) else { continue };
        // An address that is also the id stays one value.
        let value = if raw.contains('@') { "canary@example.com" } else { value };
        document = document.replace(raw, &format!("\"{value}\""));
    }
    (document != event.document).then(|| vec![Event { document, ..event.clone() }])
}

/// Where records differ: in places of the record's own, and within its copy of the document.
#[derive(Default)]
pub(crate) struct Landings {
    own: BTreeSet<String>,
    copies: BTreeSet<String>,
}

impl Landings {
    pub(crate) fn add(&mut self, formatter: &Formatted, event: &Event, changed: &Changed) {
        let before = values(&(formatter.record)(event));
        // Where only the envelope was changed, no copy of the document differs.
        let is_of_document = changed.iter().any(|changed| changed.document != event.document);
        let document: Value = serde_json::from_str(&event.document).unwrap();
        let of_document = siemaphore_producers::paths(&document);
        for changed in changed {
            let after = values(&(formatter.record)(changed));
            let names = before.keys().chain(after.keys());
            for place in names.filter(|name| before.get(*name) != after.get(*name)) {
                let is_copy = is_of_document && is_copy(place, &of_document);
                if is_copy { &mut self.copies } else { &mut self.own }.insert(place.clone());
            }
        }
    }

    /// A copy counts only when there is no other place.
    pub(crate) fn shown(&self) -> Vec<String> {
        if self.own.is_empty() {
            return self.copies.iter().take(SHOWN).map(|place| format!("`… {place}`")).collect();
        }
        self.own.iter().take(SHOWN).map(|place| format!("`{place}`")).collect()
    }
}

/// Whether a place is that of a value in the document: under its own path, perhaps below another, or joined with `_`.
fn is_copy(place: &str, of_document: &BTreeSet<String>) -> bool {
    let place = place.trim_end_matches(|last: char| last == '.' || last.is_ascii_digit());
    of_document.iter().any(|path| {
        let joined = path.replace('.', "_");
        [path.as_str(), &joined]
            .iter()
            .any(|path| place.strip_suffix(path).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    })
}

/// A record as values by place. JSON, lines of JSON, JSON after a head, or fields of the form `name=value`.
fn values(record: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let lines: Vec<&str> = record.lines().collect();
    for line in &lines {
        if line.starts_with("CEF:") || line.starts_with("LEEF:") {
            fields(line, &mut values);
            continue;
        }
        let (head, json) = line.split_at(line.find(['{', '[']).unwrap_or(line.len()));
        if let Ok(parsed) = serde_json::from_str::<Value>(json) {
            collect(&parsed, "", &mut values);
            if !head.trim().is_empty() {
                values.insert("head of the line".to_owned(), head.to_owned());
            }
        } else {
            fields(line, &mut values);
        }
    }
    values
}

fn collect(value: &Value, place: &str, values: &mut BTreeMap<String, String>) {
    let join = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| collect(value, &join(name), values))
        }
        // A list of named values is read by its names: OTLP's attributes, UDM's labels.
        Value::Array(elements) => elements.iter().enumerate().for_each(|(index, element)| {
            let name = element["key"].as_str().map_or_else(|| index.to_string(), str::to_owned);
            collect(element, &join(&name), values);
        }),
        // A text that holds JSON is looked into.
        Value::String(text) if text.starts_with(['{', '[']) => match serde_json::from_str::<Value>(text) {
            Ok(parsed) => collect(&parsed, place, values),
            Err(_) => drop(values.insert(place.to_owned(), text.clone())),
        },
        value => drop(values.insert(place.to_owned(), value.to_string())),
    }
}

/// CEF and LEEF: a head with bars, then fields. The one that holds a copy of the document is left out.
fn fields(line: &str, values: &mut BTreeMap<String, String>) {
    let parts = if line.starts_with("LEEF:") { 7 } else { 8 };
    let mut parts: Vec<&str> = line.splitn(parts, '|').collect();
    let extension = parts.pop().unwrap_or_default();
    for (index, part) in parts.into_iter().enumerate() {
        values.insert(format!("header {index}"), part.to_owned());
    }
    let separator = if extension.contains('\t') { '\t' } else { ' ' };
    let mut name = String::new();
    for piece in extension.split(separator) {
        match piece.split_once('=') {
            Some((key, value)) => {
                key.clone_into(&mut name);
                values.insert(name.clone(), value.to_owned());
            }
            None => values.entry(name.clone()).or_default().push_str(piece),
        }
    }
    values.retain(|_, value| !value.starts_with('{'));
}

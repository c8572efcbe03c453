//! Under which key an event triggers: PagerDuty keeps one open alert for each.

use std::borrow::Cow;

use siemaphore_sdk::facts::{Fact, Facts};
use siemaphore_sdk::{Event, Writer};

/// PagerDuty takes 255 characters.
const LONGEST_BYTES: usize = 255;

/// A value in which the events of one alert agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    EventType,
    Severity,
    Source,
    Producer,
    Project,
    Decision,
    Fact(Fact),
}

const NAMED: [(&str, Part); 6] = [
    ("event_type", Part::EventType),
    ("severity", Part::Severity),
    ("source", Part::Source),
    ("producer", Part::Producer),
    ("project", Part::Project),
    ("decision", Part::Decision),
];

impl Part {
    /// An error says which names there are.
    pub(crate) fn named(name: &str) -> Result<Part, String> {
        let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, part)| *part);
        named.or_else(|| Fact::named(name).map(Part::Fact)).ok_or_else(|| {
            let known = NAMED.iter().map(|(name, _)| *name).chain(Fact::ALL.into_iter().map(Fact::name));
            format!("events have no {name:?}: use {}", known.collect::<Vec<_>>().join(", "))
        })
    }

    /// Empty when the event does not say.
    fn value<'a>(self, event: &'a Event, facts: &Facts<'a>) -> Cow<'a, str> {
        match self {
            Part::EventType => event.event_type.as_str().into(),
            Part::Severity => event.severity.as_str().into(),
            Part::Source => event.source.as_str().into(),
            Part::Producer => event.producer.as_str().into(),
            Part::Project => event.project.as_deref().unwrap_or_default().into(),
            Part::Decision => facts.decision().as_str().into(),
            Part::Fact(fact) => facts.text(fact).unwrap_or_default(),
        }
    }
}

/// The event's own key, or one that all events with the same values have. The organisation is always part of it: two
/// of them may share an integration, never an alert.
pub(crate) fn key<'a>(alert_per: &[String], event: &'a Event, facts: &Facts<'a>) -> Cow<'a, str> {
    let parts: Vec<Part> = alert_per.iter().filter_map(|name| Part::named(name).ok()).collect();
    if parts.is_empty() {
        return Cow::Borrowed(&event.key);
    }
    let values = parts.into_iter().map(|part| part.value(event, facts));
    Cow::Owned(fit(joined(std::iter::once(event.organization.as_str().into()).chain(values))))
}

/// As a JSON list, so that no value can pass for two.
fn joined<'a>(values: impl Iterator<Item = Cow<'a, str>>) -> String {
    let mut list = Writer::default();
    for (place, value) in values.enumerate() {
        list.raw(if place == 0 { "[" } else { "," });
        list.string(&value);
    }
    list.raw("]");
    String::from_utf8(list.into_bytes()).unwrap_or_default()
}

/// A key that is too long ends in a hash of the whole instead: cut off, two of them could be the same.
fn fit(key: String) -> String {
    if key.len() <= LONGEST_BYTES {
        return key;
    }
    let hash = format!("#{:016x}", fnv1a(key.as_bytes()));
    let kept = key.get(..key.floor_char_boundary(LONGEST_BYTES - hash.len())).unwrap_or_default();
    format!("{kept}{hash}")
}

/// FNV-1a in 64 bits: short and the same everywhere. Whoever can choose values to collide can choose equal ones.
fn fnv1a(bytes: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn no_value_passes_for_two() {
        let key = |values: &[&'static str]| joined(values.iter().map(|value| Cow::Borrowed(*value)));
        assert_eq!(key(&["acme", "a", "b"]), r#"["acme","a","b"]"#);
        assert_ne!(key(&["acme", "a\",\"b"]), key(&["acme", "a", "b"]));
    }

    #[test]
    fn a_long_key_keeps_its_beginning_and_differs_where_its_end_does() {
        let [one, other] = ["a", "b"].map(|end| fit(format!("{}{end}", "é".repeat(300))));
        assert!(one.len() <= LONGEST_BYTES && one.starts_with("éé"), "{one}");
        assert_ne!(one, other);
        assert_eq!(fit("x".repeat(LONGEST_BYTES)), "x".repeat(LONGEST_BYTES));
    }
}

//! The events that the laws are checked on: what producers document, and whatever else a valid event may hold.
//!
//! Every one has gone through normalisation, as everything has that a formatter gets. They are the same on every host and
//! in the same order. The large ones are made here, not embedded, and stand last.

mod every_type;
mod extremes;
mod large;

use std::sync::LazyLock;

use siemaphore_model::normalise::{Context, Refusal, Scratch};
use siemaphore_model::profile::AUTO;
use siemaphore_model::{Event, EventBuffer, Normaliser, Redaction};

include!(concat!(env!("OUT_DIR"), "/documented.rs"));

/// 2026-06-08T20:15:31Z: when every event was received.
const RECEIVED_NS: u64 = 1_780_949_731_000_000_000;

/// The documents of this size and more are the large ones.
const LARGE_BYTES: usize = 100 * 1024;

/// A raw event, before it is normalised.
struct Raw {
    name: String,
    text: String,
    organization: &'static str,
    source: &'static str,
}

impl Raw {
    fn new(name: impl Into<String>, text: impl Into<String>) -> Raw {
        Raw { name: name.into(), text: text.into(), organization: "acme", source: "gateway" }
    }
}

/// Named events.
#[derive(Debug)]
pub struct Corpus {
    names: Vec<String>,
    buffer: EventBuffer,
}

/// One event of the corpus.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What an author reads when a law breaks on it: `aisg/dlp-pii-blocked`, `texts/right-to-left`.
    pub name: &'a str,
    pub event: Event<'a>,
}

impl Case<'_> {
    pub fn is_large(&self) -> bool {
        self.event.document().len() >= LARGE_BYTES
    }
}

/// The corpus. It is made when it is first asked for and kept.
pub fn corpus() -> &'static Corpus {
    static CORPUS: LazyLock<Corpus> = LazyLock::new(|| Corpus::make(&Intake::new()));
    &CORPUS
}

impl Corpus {
    fn make(intake: &Intake) -> Corpus {
        let documented = DOCUMENTED.iter().map(|(name, text)| Raw::new(*name, *text));
        let every_type = every_type::events(intake, DOCUMENTED);
        let raw = documented.chain(every_type).chain(extremes::events()).chain(large::events());
        let mut corpus = Corpus { names: Vec::new(), buffer: EventBuffer::new() };
        for raw in raw {
            let taken = intake.take(&raw, &mut corpus.buffer);
            debug_assert_eq!(taken, Ok(()), "{}", raw.name);
            // Names and events go together, whatever happens.
            if taken.is_ok() {
                corpus.names.push(raw.name);
            }
        }
        corpus
    }

    pub fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        let names = self.names.iter().map(String::as_str);
        names.zip(&self.buffer).map(|(name, event)| Case { name, event })
    }

    pub fn case(&self, name: &str) -> Option<Case<'_>> {
        self.cases().find(|case| case.name == name)
    }
}

/// Takes raw events in as a source with the profile `auto` does.
struct Intake(Normaliser);

impl Intake {
    fn new() -> Intake {
        Intake(Normaliser::new(AUTO, &Redaction::default()).expect("`auto` is a shipped profile"))
    }

    fn take(&self, raw: &Raw, into: &mut EventBuffer) -> Result<(), Refusal> {
        let Raw { text, organization, source, .. } = raw;
        let context = Context { organization, source, received_ns: RECEIVED_NS };
        self.0.normalise(text, &context, &mut Scratch::default(), into).map(|_| ())
    }

    /// The producer whose event this is; none when it is not valid.
    fn producer(&self, text: &str) -> Option<String> {
        let mut taken = EventBuffer::new();
        self.take(&Raw::new("", text), &mut taken).ok()?;
        taken.iter().next().map(|event| event.producer().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use siemaphore_model::Severity;
    use siemaphore_model::normalise::{EVENT_BYTES, NESTING};
    use siemaphore_sandbox::limits::{MAX_DOCUMENT_BYTES, MAX_EVENTS};

    use super::*;

    fn case(name: &str) -> Case<'static> {
        corpus().case(name).unwrap_or_else(|| panic!("{name} is in the corpus"))
    }

    #[test]
    fn every_name_is_one_event_and_one_word() {
        let names: Vec<&str> = corpus().cases().map(|case| case.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for name in names {
            let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'/');
            assert!(name.bytes().all(plain), "{name}");
        }
    }

    #[test]
    fn every_producer_s_events_are_there_and_are_taken_for_theirs() {
        assert!(DOCUMENTED.len() > 40);
        for (name, _) in DOCUMENTED {
            assert_eq!(Some(case(name).event.producer()), name.split('/').next(), "{name}");
        }
    }

    #[test]
    fn each_producer_s_event_has_most_of_its_values_replaced_by_every_type() {
        let producers: BTreeSet<&str> =
            DOCUMENTED.iter().filter_map(|(name, _)| name.split('/').next()).collect();
        assert_eq!(producers.len(), 8);
        for producer in producers {
            for (kind, value) in every_type::types() {
                let name = format!("types/{producer}-{kind}");
                let changed = case(&name).event;
                assert_eq!(changed.producer(), producer, "{name}");
                let replaced = changed.document().matches(&value.to_string()).count();
                assert!(replaced >= 3, "{name}: {}", changed.document());
            }
        }
    }

    #[test]
    fn every_envelope_that_intake_makes_is_there() {
        let has = |wanted: &dyn Fn(&Event<'_>) -> bool| corpus().cases().any(|case| wanted(&case.event));
        for severity in ["informational", "low", "medium", "high", "critical"] {
            let severity = Severity::from_word(severity).unwrap();
            assert!(has(&|event| event.severity() == severity), "{severity:?}");
        }
        assert!(has(&|event| event.id().is_empty() && event.project().is_none()));
        assert!(has(&|event| event.event_type().is_empty()));
        assert!(has(
            &|event| event.id().len() == 256 && event.project().is_some_and(|project| project.len() == 256)
        ));
        assert!(has(&|event| event.organization().len() == 64 && event.source().len() == 64));
        assert!(has(&|event| event.timestamp_ns() == 0));
        assert!(has(&|event| event.timestamp_ns() == i64::MAX as u64));
        assert!(has(&|event| event.document() == "{}"));
    }

    #[test]
    fn the_extremes_reach_the_limits_of_an_event() {
        let deepest = case("shapes/64-levels-of-objects").event.document();
        assert_eq!(deepest.matches('{').count(), NESTING);
        assert_eq!(case("shapes/64-levels-of-a-known-member").event.document().matches('{').count(), NESTING);
        let large: Vec<_> = corpus().cases().filter(Case::is_large).collect();
        assert_eq!(large.len(), 6);
        for case in large {
            let bytes = case.event.document().len();
            assert!((EVENT_BYTES - 8 * 1024..=EVENT_BYTES).contains(&bytes), "{}: {bytes}", case.name);
        }
        assert!(case("keys/duplicate").event.document().matches("\"user\"").count() == 3);
        assert!(case("texts/control-characters").event.document().contains("\\u0000\\u0001"));
        assert!(case("texts/astral").event.event_type().contains('\u{10fffd}'));
        assert!(case("numbers/beyond-double").event.document().contains(":1e400,"));
    }

    /// One batch can hold it, and a plugin is checked at every load.
    #[test]
    fn the_corpus_is_small() {
        let bytes: usize = corpus().cases().map(|case| case.event.document().len()).sum();
        assert!(corpus().cases().count() < MAX_EVENTS / 4 && bytes < MAX_DOCUMENT_BYTES / 2, "{bytes}");
        let small = corpus().cases().filter(|case| !case.is_large()).map(|case| case.event.document().len());
        assert!(small.sum::<usize>() < MAX_DOCUMENT_BYTES / 16);
    }
}

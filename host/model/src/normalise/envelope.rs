//! From the values that the walk found to the envelope.

use std::borrow::Cow;

use crate::Severity;
use crate::normalise::plan::{Plan, ProfilePlan, SeverityFieldPlan};
use crate::normalise::refusal::Refusal;
use crate::normalise::version::{self, UnknownVersion};
use crate::normalise::walk::{Found, Kind};
use crate::normalise::{text, time};
use crate::subscription::glob_matches;

/// The longest id, event type and project; longer ones are cut. The document has them whole.
const TEXT_BYTES: usize = 256;

/// What is known about an event beside its document.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) producer: &'a str,
    pub(super) id: Cow<'a, str>,
    pub(super) event_type: Cow<'a, str>,
    pub(super) project: Option<Cow<'a, str>>,
    pub(super) timestamp_ns: u64,
    pub(super) severity: Severity,
    /// The place of a version that the profile does not know.
    pub(super) unknown_version: Option<UnknownVersion>,
}

impl<'a> Envelope<'a> {
    /// Also writes the canonical timestamp.
    pub(super) fn resolve(
        raw: &'a str,
        plan: &'a Plan,
        found: &[Found],
        received_ns: u64,
        timestamp: &mut String,
    ) -> Result<Envelope<'a>, Refusal> {
        let values = Values { raw, plan, found };
        let recognised = plan.recognisable.iter().find(|profile| values.recognised(profile));
        let profile = recognised.unwrap_or(&plan.fallback);
        let event_type = values.text_of_first(&profile.event_type)?;
        let event_type = event_type.unwrap_or(Cow::Borrowed(profile.default_type.as_str()));
        let timestamp_ns = profile.time.iter().find_map(|slot| values.time(*slot)).unwrap_or(received_ns);
        time::write(timestamp_ns, timestamp);
        Ok(Envelope {
            producer: &profile.name,
            id: values.text_of_first(&profile.id)?.unwrap_or_default(),
            project: values.text_of_first(&profile.project)?.filter(|project| !project.is_empty()),
            timestamp_ns,
            severity: values.severity(profile, &event_type),
            unknown_version: values.unknown_version(profile),
            event_type,
        })
    }
}

/// The values of one event, by slot.
#[derive(Clone, Copy)]
struct Values<'a, 'f> {
    raw: &'a str,
    plan: &'a Plan,
    found: &'f [Found],
}

impl<'a> Values<'a, '_> {
    fn recognised(self, profile: &ProfilePlan) -> bool {
        profile.detect.iter().any(|tests| {
            tests.iter().all(|(slot, pattern)| match pattern {
                None => !matches!(self.kind(*slot), Kind::Nothing | Kind::Null),
                Some(pattern) => self.text(*slot).is_some_and(|text| glob_matches(pattern, &text)),
            })
        })
    }

    /// The first text or number. When there is none and the first place holds something else, the event is refused: it
    /// is not what its producer documents, and guessing would misfile it. The other places are names that may mean
    /// anything, so there a value of another type is passed over.
    fn text_of_first(self, slots: &[usize]) -> Result<Option<Cow<'a, str>>, Refusal> {
        if let Some(text) = slots.iter().find_map(|slot| self.text(*slot)) {
            return Ok(Some(shorten(text)));
        }
        let Some(first) = slots.first() else { return Ok(None) };
        let found = match self.kind(*first) {
            Kind::Boolean => "a boolean",
            Kind::Array => "an array",
            Kind::Object => "an object",
            Kind::Nothing | Kind::Branch | Kind::Null | Kind::Text { .. } | Kind::Number => return Ok(None),
        };
        let pointer = self.plan.pointers.get(*first).cloned().unwrap_or_default();
        Err(Refusal::WrongType { pointer, found })
    }

    fn time(self, slot: usize) -> Option<u64> {
        match self.kind(slot) {
            Kind::Number => time::from_number(self.raw_value(slot)),
            _ => time::from_text(&self.text(slot)?),
        }
    }

    fn severity(self, profile: &ProfilePlan, event_type: &str) -> Severity {
        let explicit = profile.severity_fields.iter().find_map(|field| self.explicit_severity(field));
        let from_table = || {
            profile.severity_tables.iter().find_map(|table| {
                let text = match table.slot {
                    None => Cow::Borrowed(event_type),
                    Some(slot) => self.text(slot)?,
                };
                let rule = table.rules.iter().find(|(pattern, _)| glob_matches(pattern, &text));
                rule.map(|(_, severity)| *severity)
            })
        };
        explicit.or_else(from_table).unwrap_or_default()
    }

    fn explicit_severity(self, field: &SeverityFieldPlan) -> Option<Severity> {
        let text = self.text(field.slot)?;
        let word = text.trim();
        if let Ok(number) = word.parse::<f64>() {
            let reached = field.numbers.iter().rev().find(|(lowest, _)| number >= *lowest);
            return reached.map(|(_, severity)| *severity);
        }
        let own = field.words.iter().find(|(own, _)| own.eq_ignore_ascii_case(word));
        own.map(|(_, severity)| *severity).or_else(|| Severity::from_word(word))
    }

    fn unknown_version(self, profile: &ProfilePlan) -> Option<UnknownVersion> {
        let (slot, known) = profile.version.as_ref()?;
        let version = self.text(*slot)?;
        let is_known = version::major(&version).is_some_and(|major| known.contains(&major));
        (!is_known).then(|| UnknownVersion {
            producer: profile.name.clone(),
            pointer: self.plan.pointers.get(*slot).cloned().unwrap_or_default(),
            version: version::shown(&version),
            known: known.clone(),
        })
    }

    /// Text, or a number as it is written.
    fn text(self, slot: usize) -> Option<Cow<'a, str>> {
        match self.kind(slot) {
            Kind::Text { escaped: false } | Kind::Number => Some(Cow::Borrowed(self.raw_value(slot))),
            Kind::Text { escaped: true } => Some(Cow::Owned(text::unescape(self.raw_value(slot).as_bytes()))),
            _ => None,
        }
    }

    fn kind(self, slot: usize) -> Kind {
        self.found.get(slot).map_or(Kind::Nothing, |found| found.kind)
    }

    fn raw_value(self, slot: usize) -> &'a str {
        self.found.get(slot).and_then(|found| self.raw.get(found.start..found.end)).unwrap_or_default()
    }
}

fn shorten(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text::cut(text, TEXT_BYTES)),
        Cow::Owned(mut text) => {
            text.truncate(text::cut(&text, TEXT_BYTES).len());
            Cow::Owned(text)
        }
    }
}

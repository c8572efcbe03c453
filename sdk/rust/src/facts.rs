//! What analysts ask of every security event, whoever made it: who, with what, under which policy, with what outcome.
//!
//! The envelope answers when, what and how serious. The rest stands where each producer puts it, so one table for all
//! formatters says where that is ([`places`]); an operator who knows better says so in the setting `fields`
//! ([`FactPlaces`]), which also serves producers that nobody here has heard of.
//!
//! Facts are read in the formatter and are not part of the envelope: intake need not look for what no destination
//! asks, and a better table reaches the backlog and the dead letters with the next version of a formatter.

mod decision;
mod places;

use std::borrow::Cow;

pub use decision::Decision;
pub use places::{Fact, FactPlaces};

use crate::Event;
use crate::json::{Outline, scan};
use crate::text::cut_characters;

/// The facts of one event, looked up when asked for.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    outline: &'a Outline<'a>,
    event: &'a Event,
    places: &'a FactPlaces,
}

impl<'a> Facts<'a> {
    /// `outline` is that of the event's document.
    pub fn new(event: &'a Event, outline: &'a Outline<'a>, places: &'a FactPlaces) -> Facts<'a> {
        Facts { outline, event, places }
    }

    /// The value as JSON: a text, a number or a boolean. What holds others, and null, is no answer.
    pub fn raw(&self, fact: Fact) -> Option<&'a str> {
        if let Some(pointer) = self.places.get(fact) {
            return self.scalar_at(pointer);
        }
        let mut pointers = places::of(&self.event.producer, fact);
        pointers.find_map(|pointer| self.scalar_at(pointer).filter(|value| fact.admits(value)))
    }

    /// The value as text: that of a text without its quotes and escapes, that of a number as it is written.
    pub fn text(&self, fact: Fact) -> Option<Cow<'a, str>> {
        let raw = self.raw(fact)?;
        Some(scan::text(raw).unwrap_or(Cow::Borrowed(raw)))
    }

    /// A whole number that is not negative.
    pub fn number(&self, fact: Fact) -> Option<u64> {
        self.text(fact)?.parse().ok()
    }

    /// What was decided: by the producer's word for the outcome, else by the last word of the event type.
    pub fn decision(&self) -> Decision {
        let outcome = self.text(Fact::Outcome).map(|outcome| Decision::of(&outcome));
        outcome
            .filter(|decision| *decision != Decision::Unknown)
            .unwrap_or_else(|| Decision::of(self.event.event_type.rsplit('.').next().unwrap_or_default()))
    }

    /// Every fact that the event states, under its name in settings, as [`raw`](Facts::raw) gives it; last, under
    /// `decision`, what was decided.
    ///
    /// For SIEMs without places of their own for such facts: one search then serves all producers.
    pub fn known(&self) -> impl Iterator<Item = (&'static str, Cow<'a, str>)> {
        let facts = self.places.all().map(|(fact, name, _)| (fact, name)).into_iter();
        let stated =
            facts.filter_map(|(fact, name)| self.raw(fact).map(|value| (name, Cow::Borrowed(value))));
        let decision = Some(self.decision()).filter(|decision| *decision != Decision::Unknown);
        stated.chain(decision.map(|decision| ("decision", Cow::Owned(format!("\"{}\"", decision.as_str())))))
    }

    /// One line for people, at most so many characters long: the event type, the reason, and who did it with which tool,
    /// as far as the event says. `dlp.pii_blocked: 2 matches (user ann@acme.com, tool mail)`.
    ///
    /// For SIEMs that call somebody: a reason that is too long is cut so that user and tool stay on the line.
    pub fn headline(&self, longest: usize) -> String {
        let involved = self.involved();
        let involved = cut_characters(&involved, longest / 2);
        let event_type = self.event.event_type.as_str();
        // `blocked` says little without whose word it is.
        let mut happened = if event_type.contains('.') {
            event_type.to_owned()
        } else {
            format!("{}: {event_type}", self.event.producer)
        };
        if let Some(reason) = self.text(Fact::Reason) {
            happened.push_str(": ");
            happened.push_str(&reason);
        }
        let room = longest - involved.chars().count();
        format!("{}{involved}", cut_characters(&happened, room)).replace(breaks_a_line, " ")
    }

    /// ` (user ann@acme.com, tool mail)`, or nothing.
    fn involved(&self) -> String {
        let user =
            [Fact::UserEmail, Fact::UserName, Fact::UserId].into_iter().find_map(|fact| self.text(fact));
        let involved: Vec<String> = [("user", user), ("tool", self.text(Fact::Tool))]
            .into_iter()
            .filter_map(|(word, name)| name.map(|name| format!("{word} {name}")))
            .collect();
        if involved.is_empty() { String::new() } else { format!(" ({})", involved.join(", ")) }
    }

    fn scalar_at(&self, pointer: &str) -> Option<&'a str> {
        let value = self.outline.pointer(pointer)?;
        (!value.starts_with(['{', '[']) && value != "null" && value != "\"\"").then_some(value)
    }
}

/// What breaks a line, or has it read in another order than it is written in.
fn breaks_a_line(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

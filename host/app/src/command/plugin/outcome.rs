//! What a formatter makes of each event, also where it breaks on one of them: as a pipeline does, a batch that fails is
//! halved until it fails with one event alone.

use anyhow::{Error, anyhow};
use siemaphore_model::Event;
use siemaphore_sandbox::{Configuration, FormatError, Formatter};

/// Calls that may fail before a formatter is given up: one that ends in a time limit each time would take hours.
const MOST_FAILURES: usize = 64;

#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Record(Vec<u8>),
    /// In the formatter's words.
    Rejected(String),
    /// What went wrong with the event alone. It is a defect of the formatter, whatever the event is.
    Broken {
        problem: String,
        hint: &'static str,
    },
}

impl Outcome {
    /// The record, or why there is none.
    pub(crate) fn record(self) -> Result<Vec<u8>, String> {
        match self {
            Outcome::Record(record) => Ok(record),
            Outcome::Rejected(reason) | Outcome::Broken { problem: reason, .. } => Err(reason),
        }
    }
}

/// A formatter with its settings, and how often it has failed.
pub(crate) struct Trial {
    pub(crate) formatter: Formatter,
    pub(crate) configuration: Configuration,
    failures: usize,
}

impl Trial {
    pub(crate) fn new(formatter: Formatter, configuration: Configuration) -> Trial {
        Trial { formatter, configuration, failures: 0 }
    }

    /// An outcome for each event, in order. Fails when the formatter does so again and again.
    pub(crate) fn outcomes(&mut self, events: &[Event<'_>]) -> Result<Vec<Outcome>, Error> {
        let mut outcomes = Vec::with_capacity(events.len());
        match self.add(events, &mut outcomes) {
            Ok(()) => Ok(outcomes),
            Err(error) => Err(given_up(events, &outcomes, &error)),
        }
    }

    fn add(&mut self, events: &[Event<'_>], outcomes: &mut Vec<Outcome>) -> Result<(), FormatError> {
        let error = match self.formatter.format(&self.configuration, events) {
            Ok(formatted) => {
                let mut rejected = formatted.records.rejected.iter().peekable();
                outcomes.extend(formatted.records.iter().enumerate().map(|(index, record)| {
                    match rejected.next_if(|rejection| rejection.index as usize == index) {
                        Some(rejection) => Outcome::Rejected(rejection.reason.clone()),
                        None => Outcome::Record(record.to_vec()),
                    }
                }));
                return Ok(());
            }
            Err(error) => error,
        };
        self.failures += 1;
        if self.failures > MOST_FAILURES {
            return Err(error);
        }
        if events.len() <= 1 {
            let broken = || Outcome::Broken { problem: error.to_string(), hint: error.hint() };
            outcomes.extend(events.iter().map(|_| broken()));
            return Ok(());
        }
        let (first, second) = events.split_at(events.len() / 2);
        self.add(first, outcomes)?;
        self.add(second, outcomes)
    }
}

/// The events before the last failure are judged, so the first that it broke on is known as a rule.
fn given_up(events: &[Event<'_>], outcomes: &[Outcome], error: &FormatError) -> Error {
    let is_broken = |outcome: &Outcome| matches!(outcome, Outcome::Broken { .. });
    let broken = outcomes.iter().position(is_broken).and_then(|index| events.get(index));
    let first = broken.map(|event| format!(", first on the event with the key {}", event.key()));
    anyhow!("it fails again and again{}: {error}\n  hint: {}", first.unwrap_or_default(), error.hint())
}

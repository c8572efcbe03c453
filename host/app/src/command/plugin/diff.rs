//! `siemaphore plugin diff`: the same events formatted by two versions, and where their records differ.
//!
//! Memory holds one batch and the differences that are shown, however many events there are.

pub(crate) mod changes;
pub(crate) mod record;
mod version;

use std::ops::ControlFlow;

use anyhow::Result;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::{Value, json};
use siemaphore_model::Event;

use crate::cli::Diff;
use crate::command::plugin::diff::changes::Changes;
use crate::command::plugin::diff::version::Version;
use crate::command::plugin::events::{self, Batch, Normalisers, Source, Told};
use crate::command::plugin::offline;
use crate::command::plugin::outcome::Outcome;
use crate::command::plugin::settings;
use crate::command::{Failure, progress};
use crate::print;

pub(crate) async fn run(command: Diff) -> Result<(), Failure> {
    let as_json = command.json;
    // Before anything else is asked for: what was typed wrong is the likeliest to be wrong.
    let (old, new) = (offline::find(&command.old)?, offline::find(&command.new)?);
    let settings = settings::chosen(&command.reading, command.destination.as_deref(), command.settings)?;
    let mut normalisers = Normalisers::new(&command.reading)?;
    let source = match command.events {
        Some(file) => Source::File(file),
        None => events::newest(&command.reading, command.last).await?,
    };
    let limit = usize::from(command.limit);
    let is_example = settings.is_none();
    let compared = tokio::task::spawn_blocking(move || {
        let (old, new) = (Version::load(old)?, Version::load(new)?);
        let settings = settings.unwrap_or_else(|| old.1.description().settings_example.clone());
        let versions = (Version::configured(old, &settings)?, Version::configured(new, &settings)?);
        let bar = progress::count(None, "events");
        let compared = Comparison::of(versions, limit).run(source, &mut normalisers, &bar);
        bar.finish_and_clear();
        compared
    });
    let compared = compared.await??;
    if is_example {
        print::aside("the settings are OLD's own example; --destination NAME takes those of a destination\n");
    }
    if as_json {
        print::json(&compared.as_json())?;
    } else {
        compared.show();
    }
    if compared.is_equal() { Ok(()) } else { Err(Failure::Said) }
}

/// An event that the two versions do not make the same of.
#[derive(Debug, Serialize)]
struct Different {
    /// Its place among the events, from 1.
    event: u64,
    event_key: String,
    event_type: String,
    #[serde(flatten)]
    how: How,
}

#[derive(Debug, Serialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
enum How {
    Record(Changes),
    RejectedByOldOnly { reason: String },
    RejectedByNewOnly { reason: String },
    RejectedForAnotherReason { old: String, new: String },
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    events: u64,
    same: u64,
    different: u64,
    rejected_by_old_only: u64,
    rejected_by_new_only: u64,
    /// By both, for the same reason or not; among `same` and `different` as well.
    rejected_by_both: u64,
}

/// Two versions, and what has been seen so far.
struct Comparison {
    old: Version,
    new: Version,
    request: Changes,
    summary: Summary,
    shown: Vec<Different>,
    limit: usize,
    told: Told,
}

impl Comparison {
    fn of((old, new): (Version, Version), limit: usize) -> Comparison {
        let request = Changes::between(&version::request(&old.profile), &version::request(&new.profile));
        let (summary, shown, told) = (Summary::default(), Vec::new(), Told::default());
        Comparison { old, new, request, summary, shown, limit, told }
    }

    fn run(mut self, source: Source, normalisers: &mut Normalisers, bar: &ProgressBar) -> Result<Comparison> {
        let told = events::for_each_batch(source, normalisers, &mut |batch| {
            self.compare(&batch)?;
            bar.inc(batch.places.len() as u64);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Comparison { told, ..self })
    }

    fn compare(&mut self, batch: &Batch) -> Result<()> {
        let events: Vec<Event<'_>> = batch.events.iter().collect();
        let old = self.old.outcomes(&events)?;
        let new = self.new.outcomes(&events)?;
        let outcomes = old.into_iter().zip(new);
        for ((event, place), (old, new)) in events.iter().zip(&batch.places).zip(outcomes) {
            self.summary.events += 1;
            let Some(how) = self.summary.count(old, new) else { continue };
            if self.shown.len() < self.limit {
                self.shown.push(Different {
                    event: *place,
                    event_key: event.key().to_string(),
                    event_type: event.event_type().to_owned(),
                    how,
                });
            }
        }
        Ok(())
    }

    fn is_equal(&self) -> bool {
        self.request.count == 0 && self.summary.same == self.summary.events
    }

    fn as_json(&self) -> Value {
        let refusals = self.told.refusals.iter();
        let refusals: Vec<Value> =
            refusals.map(|(event, reason)| json!({ "event": event, "reason": reason })).collect();
        json!({
            "equal": self.is_equal(),
            "old": self.old.as_json(),
            "new": self.new.as_json(),
            "request": self.request,
            "summary": self.summary,
            "differences": self.shown,
            "refused_events": self.told.refused,
            "refusals": refusals,
        })
    }

    fn show(&self) {
        print::line(format_args!("old  {}", self.old.title()));
        print::line(format_args!("new  {}", self.new.title()));
        if self.request.count > 0 {
            print::line("\nthe request");
            self.request.show();
        }
        for different in &self.shown {
            different.show();
        }
        let unshown = (self.summary.events - self.summary.same).saturating_sub(self.shown.len() as u64);
        if unshown > 0 {
            print::line(format_args!("\n{unshown} more; --limit N shows more"));
        }
        for (event, reason) in &self.told.refusals {
            print::aside(format_args!("event {event} is refused at the door: {reason}"));
        }
        if self.told.refused > self.told.refusals.len() as u64 {
            print::aside(format_args!("in all {} are refused", print::count(self.told.refused, "event")));
        }
        print::line(format_args!("\n{}", self.summed_up()));
    }

    fn summed_up(&self) -> String {
        let Summary { events, same, different, rejected_by_old_only, rejected_by_new_only, rejected_by_both } =
            self.summary;
        let mut parts = vec![format!("{}: {same} the same", print::count(events, "event"))];
        let counted = [
            (different, "different"),
            (rejected_by_old_only, "rejected by old only"),
            (rejected_by_new_only, "rejected by new only"),
            (rejected_by_both, "rejected by both"),
        ];
        parts.extend(
            counted.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")),
        );
        parts.push(match self.request.count {
            0 => "the request is the same".to_owned(),
            _ => "the request differs".to_owned(),
        });
        parts.join(", ")
    }
}

impl Summary {
    /// Counts an event, and says how it differs if it does.
    fn count(&mut self, old: Outcome, new: Outcome) -> Option<How> {
        let how = match (old.record(), new.record()) {
            (Ok(old), Ok(new)) => record::changes(&old, &new).map(How::Record),
            (Err(reason), Ok(_)) => Some(How::RejectedByOldOnly { reason }),
            (Ok(_), Err(reason)) => Some(How::RejectedByNewOnly { reason }),
            (Err(old), Err(new)) => {
                self.rejected_by_both += 1;
                (old != new).then_some(How::RejectedForAnotherReason { old, new })
            }
        };
        match &how {
            None => self.same += 1,
            Some(How::Record(_) | How::RejectedForAnotherReason { .. }) => self.different += 1,
            Some(How::RejectedByOldOnly { .. }) => self.rejected_by_old_only += 1,
            Some(How::RejectedByNewOnly { .. }) => self.rejected_by_new_only += 1,
        }
        how
    }
}

impl Different {
    fn show(&self) {
        let Different { event, event_key, event_type, how } = self;
        print::line(format_args!("\nevent {event}   {event_type}   {event_key}"));
        match how {
            How::Record(changes) => changes.show(),
            How::RejectedByOldOnly { reason } => {
                print::line(format_args!("  rejected by old only: {reason}"))
            }
            How::RejectedByNewOnly { reason } => {
                print::line(format_args!("  rejected by new only: {reason}"))
            }
            How::RejectedForAnotherReason { old, new } => {
                print::line(format_args!("  rejected by old: {old}\n  rejected by new: {new}"));
            }
        }
    }
}

//! The laws of `format`: each event alone, then in batches cut differently, then the largest batches, then again.

use siemaphore_model::Event;
use siemaphore_model::formatter::{Records, RequestProfile};
use siemaphore_sandbox::limits::{MAX_DOCUMENT_BYTES, MAX_EVENTS};

use crate::corpus::{Case, Corpus};
use crate::difference::{Outcome, tell};
use crate::honest::Kind;
use crate::law::Law;
use crate::trial::{Answer, Stop, Trial};

pub(crate) fn check(
    trial: &mut Trial<'_>,
    profile: &RequestProfile,
    corpus: &'static Corpus,
) -> Result<(), Stop> {
    let alone = each_alone(trial, profile, corpus)?;
    let (large, small): (Vec<&Alone>, Vec<&Alone>) = alone.iter().partition(|alone| alone.case.is_large());
    batches(trial, &small)?;
    together(trial, &fill(&small))?;
    together(trial, &fill(&large))?;
    for law in [Law::Total, Law::HonestRecords, Law::BatchSplit] {
        trial.finish(law);
    }
    again(trial, &small)
}

/// An event that is formatted by itself, and what comes of it.
struct Alone {
    case: Case<'static>,
    made: Made,
}

enum Made {
    Record(Vec<u8>),
    Rejected(String),
}

impl Alone {
    fn outcome(&self) -> Outcome<'_> {
        match &self.made {
            Made::Record(record) => Outcome::Record(record),
            Made::Rejected(reason) => Outcome::Rejected(reason),
        }
    }
}

/// What cannot be formatted alone is told here, and has no place in the batches.
fn each_alone(
    trial: &mut Trial<'_>,
    profile: &RequestProfile,
    corpus: &'static Corpus,
) -> Result<Vec<Alone>, Stop> {
    let kind = Kind::of(profile);
    let mut alone = Vec::new();
    for case in corpus.cases() {
        trial.report().events += 1;
        match trial.format(&[case.event])? {
            Answer::Records(records) => {
                let made = made(&records);
                judge(trial, profile, &kind, case.name, &made)?;
                alone.push(Alone { case, made });
            }
            Answer::Refused(reason) => {
                trial.report().rejected += 1;
                reasoned(trial, case.name, &reason)?;
            }
            Answer::Fault(fault) => trial.fault(Some(case.name), "", &fault)?,
        }
    }
    Ok(alone)
}

/// Of the only event of a call.
fn made(records: &Records) -> Made {
    match records.rejected.first() {
        Some(rejection) => Made::Rejected(rejection.reason.clone()),
        None => Made::Record(records.data.clone()),
    }
}

fn judge(
    trial: &mut Trial<'_>,
    profile: &RequestProfile,
    kind: &Kind,
    name: &'static str,
    made: &Made,
) -> Result<(), Stop> {
    match made {
        Made::Rejected(reason) => {
            trial.report().rejected += 1;
            reasoned(trial, name, reason)
        }
        Made::Record(record) => {
            if record.len() > profile.limits.record_bytes as usize {
                trial.report().too_large += 1;
            }
            kind.check(record).or_else(|problem| trial.broken(Law::HonestRecords, Some(name), problem))
        }
    }
}

fn reasoned(trial: &mut Trial<'_>, name: &'static str, reason: &str) -> Result<(), Stop> {
    if reason.is_empty() {
        return trial.broken(Law::Total, Some(name), "it is rejected without a reason");
    }
    Ok(())
}

/// The same events in one batch, in halves, in thirds, and with other neighbours. The later parts go first, so that none
/// profits from what came before it.
fn batches(trial: &mut Trial<'_>, all: &[&Alone]) -> Result<(), Stop> {
    let backwards: Vec<&Alone> = all.iter().rev().copied().collect();
    let halves = all.chunks(all.len().div_ceil(2).max(1)).rev();
    let thirds = all.chunks(all.len().div_ceil(3).max(1)).rev();
    for batch in halves.chain(thirds).chain([all, backwards.as_slice()]) {
        // What breaks in one breaks in most.
        if !together(trial, batch)? {
            break;
        }
    }
    Ok(())
}

/// One batch. Says whether each event became what it becomes alone.
fn together(trial: &mut Trial<'_>, batch: &[&Alone]) -> Result<bool, Stop> {
    let events: Vec<Event<'_>> = batch.iter().map(|alone| alone.case.event).collect();
    let count = events.len();
    match trial.format(&events)? {
        Answer::Records(records) => {
            let when = format!("in a batch of {count}");
            let differing = batch.iter().zip(outcomes(&records)).find_map(|(alone, outcome)| {
                tell(("alone", alone.outcome()), (&when, outcome)).map(|told| (alone.case.name, told))
            });
            let Some((name, told)) = differing else { return Ok(true) };
            trial.broken(Law::BatchSplit, Some(name), told)?;
        }
        Answer::Refused(reason) => {
            let told =
                format!("it refuses a batch of {count} events and formats each of them alone: {reason}");
            trial.broken(Law::BatchSplit, None, told)?;
        }
        Answer::Fault(fault) => {
            trial.fault(
                None,
                &format!("in a batch of {count} events, each of which it formats alone: "),
                &fault,
            )?;
        }
    }
    Ok(false)
}

/// What became of each event, in their order.
fn outcomes(records: &Records) -> impl Iterator<Item = Outcome<'_>> {
    // Rejections are in order, and stand for the empty records.
    let mut reasons = records.rejected.iter().map(|rejection| rejection.reason.as_str());
    records.iter().map(move |record| match record {
        [] => Outcome::Rejected(reasons.next().unwrap_or_default()),
        record => Outcome::Record(record),
    })
}

/// The events over and over, as many as the host hands over at once.
fn fill<'a>(events: &[&'a Alone]) -> Vec<&'a Alone> {
    let mut bytes = 0;
    let fits = |alone: &&Alone| {
        bytes += alone.case.event.document().len();
        bytes <= MAX_DOCUMENT_BYTES
    };
    events.iter().copied().cycle().take(MAX_EVENTS).take_while(fits).collect()
}

/// Each alone once more, the last first.
fn again(trial: &mut Trial<'_>, all: &[&Alone]) -> Result<(), Stop> {
    for alone in all.iter().rev() {
        let Answer::Records(records) = trial.format(&[alone.case.event])? else {
            let told = "it was formatted at first, and is not when it comes again";
            trial.broken(Law::Deterministic, Some(alone.case.name), told)?;
            break;
        };
        let Some(outcome) = outcomes(&records).next() else { break };
        if let Some(told) = tell(("at first", alone.outcome()), ("again", outcome)) {
            trial.broken(Law::Deterministic, Some(alone.case.name), told)?;
            break;
        }
    }
    trial.finish(Law::Deterministic);
    Ok(())
}

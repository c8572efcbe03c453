//! `siemaphore send`: a file of events to a running host, with a progress bar.
//!
//! Requests are made of the file in order, a few in flight at a time. Each carries an idempotency key made of its
//! content, and how far the host has confirmed them is noted beside the file: a run that was broken off is repeated with
//! the same command, goes on where it was, and stores nothing twice.

mod batches;
pub(crate) mod opened;
mod pace;
mod resume;
mod upload;

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::cli::Send;
use crate::command::Failure;
use crate::command::exported;
use crate::command::send::batches::{BATCH_EVENTS, Batch, Batches};
use crate::command::send::pace::Pace;
use crate::command::send::resume::{Resume, Start};
use crate::command::send::upload::{Receipt, Uploader};
use crate::events_file::for_each_event;
use crate::print;

/// Enough to keep the host's disk busy: it commits what arrives together in one go.
const REQUESTS_IN_FLIGHT: usize = 4;
/// Of refused events, so many are shown.
const REFUSALS_SHOWN: usize = 20;

/// What became of the file.
#[derive(Debug, Default, Serialize)]
struct Summary {
    /// Of an earlier run that was broken off: passed over.
    passed_over: u64,
    events: u64,
    /// New or known.
    accepted: u64,
    /// Stored now.
    new: u64,
    /// Stored before, and not once more.
    already_known: u64,
    refused: u64,
    /// Of the new ones.
    redacted_values: u64,
    refusals: Vec<Refusal>,
}

#[derive(Debug, Serialize)]
struct Refusal {
    /// The event's place in the file, from 1.
    event: u64,
    reason: String,
}

pub(crate) async fn run(command: Send) -> Result<(), Failure> {
    // First of all whether there is a file: who has mistyped its name need not look for a token.
    let bar = progress(&command)?;
    let mut resume = resume(&command)?;
    let uploader = Arc::new(Uploader::new(&command, bar.clone(), resume.repetition()).await?);
    let passed_over = resume.events();
    if passed_over > 0 {
        let events = print::count(passed_over, "event");
        bar.suspend(|| print::aside(format_args!("going on behind {events} that an earlier run has sent")));
    }
    let (batches, received) = mpsc::channel(REQUESTS_IN_FLIGHT);
    let (file, reading_bar, most_events) = (command.file.clone(), bar.clone(), resume.batch_events());
    let reader =
        tokio::task::spawn_blocking(move || read(&file, &reading_bar, batches, most_events, passed_over));
    let uploaded = upload_all(uploader, received, Pace::new(command.rate), &mut resume, &bar).await;
    bar.finish_and_clear();
    // The reader stops by itself when nobody takes its batches any more; its own error is the more telling one.
    let read = reader.await?;
    let summary = Summary { passed_over, ..uploaded? };
    read?;
    resume.finished();
    report(&summary, command.json)?;
    if summary.refused == 0 { Ok(()) } else { Err(Failure::Said) }
}

/// Requests of at most a second each, so that a low rate is kept evenly.
fn resume(command: &Send) -> Result<Resume, Failure> {
    let batch_events = command.rate.map_or(BATCH_EVENTS, |rate| BATCH_EVENTS.min(rate.into()));
    let start = match (command.again, command.from_the_beginning) {
        (true, _) => Start::Again,
        (false, true) => Start::Beginning,
        (false, false) => Start::WhereItWas,
    };
    if is_standard_input(&command.file) || !command.file.is_file() {
        return Ok(Resume::none(batch_events, start));
    }
    let resume = Resume::of(&command.file, &command.to, batch_events, start);
    Ok(resume.with_context(|| format!("cannot read {}", command.file.display()))?)
}

fn progress(command: &Send) -> Result<ProgressBar, Failure> {
    let size = if is_standard_input(&command.file) { None } else { Some(std::fs::metadata(&command.file)) };
    let size = size.transpose().with_context(|| format!("cannot read {}", command.file.display()))?;
    let bar = match size {
        Some(metadata) => ProgressBar::new(metadata.len()).with_style(ProgressStyle::with_template(
            "{bar:32} {percent:>3}%  {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {eta} left  {msg}",
        )?),
        None => ProgressBar::new_spinner()
            .with_style(ProgressStyle::with_template("{spinner} {binary_bytes}  {binary_bytes_per_sec}")?),
    };
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    Ok(bar)
}

fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

fn read(
    file: &Path,
    bar: &ProgressBar,
    batches: mpsc::Sender<Batch>,
    most_events: u64,
    skip: u64,
) -> anyhow::Result<()> {
    let source: Box<dyn Read> = if is_standard_input(file) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file).with_context(|| format!("cannot read {}", file.display()))?)
    };
    let source = opened::decompressed(bar.wrap_read(source))
        .with_context(|| format!("cannot read {}", file.display()))?;
    let mut cut = Batches::new(most_events, skip, |batch| {
        batches.blocking_send(batch).map_err(|_| io::Error::other("sending has stopped"))
    });
    for_each_event(source, &mut |event| cut.push(exported::event_of(event)))
        .and_then(|()| cut.finish())
        .with_context(|| format!("cannot read events from {}", file.display()))
}

async fn upload_all(
    uploader: Arc<Uploader>,
    mut batches: mpsc::Receiver<Batch>,
    mut pace: Pace,
    resume: &mut Resume,
    bar: &ProgressBar,
) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let mut in_flight = JoinSet::new();
    loop {
        let next = async {
            pace.ready().await;
            batches.recv().await
        };
        tokio::select! {
            // What is confirmed is noted before more is sent.
            biased;
            Some(receipt) = in_flight.join_next() => summary.add(receipt??, resume, bar),
            batch = next, if in_flight.len() < REQUESTS_IN_FLIGHT => match batch {
                Some(batch) => {
                    pace.sent(batch.events);
                    let uploader = Arc::clone(&uploader);
                    in_flight.spawn(async move { uploader.upload(batch).await });
                }
                None => break,
            },
        }
    }
    while let Some(receipt) = in_flight.join_next().await {
        summary.add(receipt??, resume, bar);
    }
    summary.refusals.sort_by_key(|refusal| refusal.event);
    summary.refusals.truncate(REFUSALS_SHOWN);
    Ok(summary)
}

impl Summary {
    fn add(&mut self, receipt: Receipt, resume: &mut Resume, bar: &ProgressBar) {
        resume.confirmed(receipt.first, receipt.events);
        self.events += receipt.events;
        self.accepted += receipt.accepted;
        self.refused += receipt.events.saturating_sub(receipt.accepted);
        if receipt.is_known {
            self.already_known += receipt.accepted;
            bar.set_message(format!("{} already known", self.already_known));
        } else {
            self.new += receipt.accepted;
            self.redacted_values += receipt.redacted;
        }
        let room = REFUSALS_SHOWN * 2 * REQUESTS_IN_FLIGHT;
        let refusals = receipt.refused.into_iter();
        let refusals = refusals
            .map(|refused| Refusal { event: receipt.first + refused.index + 1, reason: refused.reason });
        self.refusals.extend(refusals.take(room.saturating_sub(self.refusals.len())));
    }
}

fn report(summary: &Summary, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return Ok(print::json(summary)?);
    }
    let Summary { passed_over, events, accepted, new, already_known, refused, redacted_values, refusals } =
        summary;
    let (events, values) = (print::count(*events, "event"), print::count(*redacted_values, "value"));
    match *already_known {
        0 => print::line(format_args!("{accepted} of {events} accepted, {values} redacted")),
        known => print::line(format_args!(
            "{accepted} of {events} accepted: {new} new, {known} already known; {values} redacted"
        )),
    }
    if *passed_over > 0 {
        let earlier = print::count(*passed_over, "event");
        print::line(format_args!("  {earlier} had been sent by an earlier run"));
    }
    for refusal in refusals {
        print::line(format_args!("  event {}: {}", refusal.event, refusal.reason));
    }
    if let Some(more) = refused.checked_sub(refusals.len() as u64).filter(|more| *more > 0) {
        print::line(format_args!("  and {more} more"));
    }
    if *new == 0 && *already_known > 0 {
        print::line(
            "nothing was stored: the host knows the events of an earlier run for a day, and keeps them once\n  \
             hint: `--again` stores them once more, with the same event keys",
        );
    }
    Ok(())
}

/// How long a refused request waits before it is made again, when the host does not say.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

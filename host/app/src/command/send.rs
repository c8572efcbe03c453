//! `siemaphore send`: a file of events to a running host, with a progress bar.
//!
//! Requests are made of the file in order, a few in flight at a time. Each carries an idempotency key made of its
//! content, so a run that was broken off can be repeated: what the host has stored already is not stored again.

mod batches;
mod exported;
mod upload;

use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read};
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
use crate::command::send::batches::{Batch, Batches};
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
    events: u64,
    accepted: u64,
    refused: u64,
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
    let uploader = Arc::new(Uploader::new(&command, bar.clone()).await?);
    let (batches, received) = mpsc::channel(REQUESTS_IN_FLIGHT);
    let (file, reading_bar) = (command.file.clone(), bar.clone());
    let reader = tokio::task::spawn_blocking(move || read(&file, &reading_bar, batches));
    let uploaded = upload_all(uploader, received).await;
    bar.finish_and_clear();
    // The reader stops by itself when nobody takes its batches any more; its own error is the more telling one.
    let read = reader.await?;
    let summary = uploaded?;
    read?;
    report(&summary, command.json)?;
    if summary.refused == 0 { Ok(()) } else { Err(Failure::Said) }
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

fn read(file: &Path, bar: &ProgressBar, batches: mpsc::Sender<Batch>) -> anyhow::Result<()> {
    let source: Box<dyn Read> = if is_standard_input(file) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file).with_context(|| format!("cannot read {}", file.display()))?)
    };
    let mut cut = Batches::new(|batch| {
        batches.blocking_send(batch).map_err(|_| io::Error::other("sending has stopped"))
    });
    for_each_event(BufReader::new(bar.wrap_read(source)), &mut |event| cut.push(exported::event_of(event)))
        .and_then(|()| cut.finish())
        .with_context(|| format!("cannot read events from {}", file.display()))
}

async fn upload_all(uploader: Arc<Uploader>, mut batches: mpsc::Receiver<Batch>) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let mut in_flight = JoinSet::new();
    loop {
        tokio::select! {
            batch = batches.recv(), if in_flight.len() < REQUESTS_IN_FLIGHT => match batch {
                Some(batch) => {
                    let uploader = Arc::clone(&uploader);
                    in_flight.spawn(async move { uploader.upload(batch).await });
                }
                None => break,
            },
            Some(receipt) = in_flight.join_next() => summary.add(receipt??),
        }
    }
    while let Some(receipt) = in_flight.join_next().await {
        summary.add(receipt??);
    }
    summary.refusals.sort_by_key(|refusal| refusal.event);
    summary.refusals.truncate(REFUSALS_SHOWN);
    Ok(summary)
}

impl Summary {
    fn add(&mut self, receipt: Receipt) {
        self.events += receipt.events;
        self.accepted += receipt.accepted;
        self.refused += receipt.events.saturating_sub(receipt.accepted);
        self.redacted_values += receipt.redacted;
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
    let Summary { events, accepted, refused, redacted_values, refusals } = summary;
    let (events, values) = (print::count(*events, "event"), print::count(*redacted_values, "value"));
    print::line(format_args!("{accepted} of {events} accepted, {values} redacted"));
    for refusal in refusals {
        print::line(format_args!("  event {}: {}", refusal.event, refusal.reason));
    }
    if let Some(more) = refused.checked_sub(refusals.len() as u64).filter(|more| *more > 0) {
        print::line(format_args!("  and {more} more"));
    }
    Ok(())
}

/// How long a refused request waits before it is made again, when the host does not say.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

//! `siemaphore plugin bench`: what a formatter costs, beside what it may cost.
//!
//! Batches are formatted as a pipeline does it: a fresh instance for each, on one thread. Framing, compression and
//! sending are not in the figures, and neither is what other programs do to this machine. Only fuel, bytes and memory
//! are the same elsewhere.

mod measure;
mod report;

use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow};
use siemaphore_sandbox::{Configuration, Counted};

use crate::cli::Bench;
use crate::command::plugin::bench::measure::{Measured, Stopwatch};
use crate::command::plugin::bench::report::Report;
use crate::command::plugin::events::{self, BATCH_EVENTS, Batch, Normalisers, Source};
use crate::command::plugin::{offline, settings};
use crate::command::quickstart::samples;
use crate::command::{Failure, progress};
use crate::print;

/// Batches that are measured, of a file that has more: enough for the mean of any mixture.
const MOST_BATCHES: usize = 20;

pub(crate) async fn run(command: Bench) -> Result<(), Failure> {
    let as_json = command.json;
    let settings = settings::chosen(&command.reading, command.destination.as_deref(), command.settings)?;
    let mut normalisers = Normalisers::new(&command.reading)?;
    let source = command.events.map_or_else(sampled, Source::File);
    let (plugin, time) = (command.plugin, Duration::from_secs(command.seconds.into()));
    let work = move || {
        let batches = batches(source, &mut normalisers)?;
        bench(&plugin, settings, &batches, time)
    };
    let report = tokio::task::spawn_blocking(work).await??;
    if as_json {
        print::json(&report.as_json())?
    } else {
        report.show()
    }
    Ok(())
}

/// The same events whenever it runs, so that fuel can be compared.
fn sampled() -> Source {
    let mut lines = samples::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let once = lines.len();
    while lines.len() < BATCH_EVENTS {
        lines.extend_from_within(..once.min(BATCH_EVENTS - lines.len()));
    }
    Source::Samples(lines.join("\n"))
}

fn batches(source: Source, normalisers: &mut Normalisers) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    let told = events::for_each_batch(source, normalisers, &mut |batch| {
        batches.push(batch);
        Ok(if batches.len() < MOST_BATCHES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    if told.refused > 0 {
        print::aside(format_args!("{} would be refused at the door", print::count(told.refused, "event")));
    }
    Ok(batches)
}

fn bench(plugin: &str, settings: Option<String>, batches: &[Batch], time: Duration) -> Result<Report> {
    let bar = progress::count(None, "events");
    progress::spinner(&bar);
    bar.set_message("compiling");
    let named = offline::find(plugin)?;
    let watch = Stopwatch::start();
    let formatter = named.load_anew()?;
    let loading = watch.elapsed();
    let settings = settings.unwrap_or_else(|| formatter.description().settings_example.clone());
    let configuration = Configuration { settings, destination: "bench".to_owned() };
    bar.set_message("measuring");
    let measured = Measured::of(&formatter, &configuration, batches, time, &bar)?;
    bar.set_message("compiling again, to count instructions");
    let counted = Counted::load(&named.name, &named.component, formatter.limits());
    let counted = counted.map_err(|error| anyhow!("instructions cannot be counted: {error}"))?;
    bar.set_message("counting instructions");
    let fuel = measure::fuel(&counted, &configuration, batches)?;
    bar.finish_and_clear();
    Ok(Report {
        named,
        description: formatter.description().clone(),
        limits: formatter.limits().clone(),
        loading,
        measured,
        fuel,
    })
}

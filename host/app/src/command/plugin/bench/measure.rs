//! Taking the figures.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use indicatif::ProgressBar;
use siemaphore_model::Event;
use siemaphore_sandbox::{Configuration, Counted, Figures, Formatter, Fuel};

use crate::command::plugin::events::Batch;

/// Instances that are started and configured for the middle one of their times.
const OPENINGS: usize = 51;

pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// What all batches together took, and the most that one took.
#[derive(Default)]
pub(super) struct Measured {
    /// To start an instance and configure it: the middle one of many.
    pub(super) opening: Duration,
    pub(super) events: u64,
    pub(super) batches: u64,
    pub(super) rejected: u64,
    pub(super) total: Figures,
    pub(super) most: Figures,
}

impl Measured {
    /// Formats every batch once, and goes on until the time is up.
    pub(super) fn of(
        formatter: &Formatter,
        configuration: &Configuration,
        batches: &[Batch],
        time: Duration,
        bar: &ProgressBar,
    ) -> Result<Measured> {
        let batches: Vec<Vec<Event<'_>>> =
            batches.iter().map(|batch| batch.events.iter().collect()).collect();
        let mut measured = Measured { opening: opening(formatter, configuration)?, ..Measured::default() };
        // The first batch pays for memory that all others find warm.
        if let Some(first) = batches.first() {
            Measured::default().add(formatter, configuration, first)?;
        }
        let watch = Stopwatch::start();
        for (number, batch) in batches.iter().cycle().enumerate() {
            if number >= batches.len() && watch.elapsed() >= time {
                break;
            }
            measured.add(formatter, configuration, batch)?;
            bar.inc(batch.len() as u64);
        }
        Ok(measured)
    }

    fn add(
        &mut self,
        formatter: &Formatter,
        configuration: &Configuration,
        events: &[Event<'_>],
    ) -> Result<()> {
        let watch = Stopwatch::start();
        let formatted = formatter.format(configuration, events).map_err(|error| {
            anyhow!(
                "a batch of {} events fails: {error}\n  hint: {}; `siemaphore plugin format` names the event",
                events.len(),
                error.hint()
            )
        })?;
        // Of the call as a whole: the figures' own is the time within the guest.
        let figures = Figures { wall: watch.elapsed(), ..formatted.figures };
        self.events += events.len() as u64;
        self.batches += 1;
        self.rejected += formatted.records.rejected.len() as u64;
        self.total = together(self.total, figures, |left, right| left + right, |left, right| left + right);
        self.most = together(self.most, figures, Duration::max, u64::max);
        Ok(())
    }
}

fn together(
    left: Figures,
    right: Figures,
    times: impl Fn(Duration, Duration) -> Duration,
    bytes: impl Fn(u64, u64) -> u64,
) -> Figures {
    Figures {
        cpu: times(left.cpu, right.cpu),
        wall: times(left.wall, right.wall),
        peak_memory_bytes: bytes(left.peak_memory_bytes, right.peak_memory_bytes),
        input_bytes: bytes(left.input_bytes, right.input_bytes),
        output_bytes: bytes(left.output_bytes, right.output_bytes),
        log_bytes: bytes(left.log_bytes, right.log_bytes),
    }
}

fn opening(formatter: &Formatter, configuration: &Configuration) -> Result<Duration> {
    let mut times = Vec::with_capacity(OPENINGS);
    for _ in 0..OPENINGS {
        let watch = Stopwatch::start();
        let session = formatter.open(configuration).map_err(|error| {
            anyhow!("{error}\n  hint: give settings that it takes: --settings JSON, or --destination NAME")
        })?;
        times.push(watch.elapsed());
        drop(session);
    }
    times.sort_unstable();
    Ok(times.get(OPENINGS / 2).copied().unwrap_or_default())
}

/// Of one round over all batches: the instructions are the same in each.
pub(super) fn fuel(counted: &Counted, configuration: &Configuration, batches: &[Batch]) -> Result<Fuel> {
    let mut sum = Fuel { opening: 0, format: 0 };
    for batch in batches {
        let events: Vec<Event<'_>> = batch.events.iter().collect();
        let Fuel { opening, format } = counted
            .count(configuration, &events)
            .map_err(|error| anyhow!("instructions cannot be counted: {error}"))?;
        sum = Fuel { opening, format: sum.format.saturating_add(format) };
    }
    let events: usize = batches.iter().map(|batch| batch.places.len()).sum();
    Ok(Fuel { format: sum.format / (events.max(1) as u64), ..sum })
}

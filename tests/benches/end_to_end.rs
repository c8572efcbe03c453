//! Events a second through the real release binary, and what they cost it in CPU: HTTP in, fsync, sandbox, gzip, TLS
//! out. The bars are those of ARCHITECTURE.md.
//!
//! Three processes, so that only the host's own work is counted: this driver, the host, and a sink that plays Splunk
//! as cheaply as TLS allows. Only the host is measured, from `/proc`: from after the warm-up until its own ledger says
//! that everything is delivered.
//!
//! A second run has a neighbour: a destination whose plugin uses up its CPU limit on everything. How much slower that
//! makes the first destination is the last line of the table.
//!
//! `cargo bench -p siemaphore --bench end_to_end -- [EVENTS]`, by default 1,000,000.

#![allow(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a benchmark prints, and what is missing in a JSON value reads as null"
)]

#[path = "end_to_end/driver.rs"]
mod driver;
#[allow(dead_code, reason = "one guest of many is measured")]
#[path = "../guests/guests.rs"]
mod guests;
#[path = "end_to_end/host.rs"]
mod host;
#[path = "end_to_end/report.rs"]
mod report;
#[path = "end_to_end/sink.rs"]
mod sink;

use std::time::Instant;

use anyhow::{Context, Result};

use crate::guests::handmade::{Field, Handmade};
use crate::host::{Host, SOURCE};
use crate::report::Figures;
use crate::sink::SinkProcess;

const DEFAULT_EVENTS: u64 = 1_000_000;
/// Enough for every formatting thread, connection and buffer to be warm.
const WARM_UP_EVENTS: u64 = 50_000;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let first = arguments.next();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    match first.as_deref() {
        Some(sink::ARGUMENT) => runtime.block_on(sink::serve()),
        Some(events) => runtime.block_on(measure(events.parse().context("the number of events")?)),
        None => runtime.block_on(measure(DEFAULT_EVENTS)),
    }
}

async fn measure(events: u64) -> Result<()> {
    let sink = SinkProcess::start().await?;
    let alone = measure_host(&sink, None, events).await?;
    let burner = Handmade::saying("never").loops_on(Field::Source, SOURCE).component();
    let beside_a_burner = measure_host(&sink, Some(&burner), events).await?;
    report::print(&alone, &beside_a_burner);
    Ok(())
}

/// What becomes of so many events, with a neighbour that has this plugin and gets the same events.
async fn measure_host(sink: &SinkProcess, neighbour: Option<&[u8]>, events: u64) -> Result<Figures> {
    let mut host = Host::start(sink, neighbour).await?;
    let mut driver = driver::Driver::new(host.intake);
    driver.send(WARM_UP_EVENTS).await?;
    host.delivered(WARM_UP_EVENTS).await?;

    let (start, cpu) = (Instant::now(), host.cpu()?);
    let sent_bytes = driver.send(events).await?;
    let accepted = start.elapsed();
    host.delivered(WARM_UP_EVENTS + events).await?;
    let figures = Figures {
        events,
        sent_bytes,
        accepted,
        delivered: start.elapsed(),
        cpu: host.cpu()? - cpu,
        peak_memory_bytes: host.peak_memory_bytes()?,
    };
    host.stop().await?;
    Ok(figures)
}

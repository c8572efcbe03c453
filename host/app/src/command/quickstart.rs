//! `siemaphore quickstart`: the whole product on one machine, with nothing to set up.
//!
//! Starts pretend SIEMs (real HTTPS, a certificate made for the occasion, the SIEMs' own rules), a host with a
//! temporary store, and sends sample events through its real intake. Everything goes when it ends.

pub(crate) mod samples;
mod setup;
mod show;

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use siemaphore_receiver::Exchange;
use tokio::sync::broadcast;

use crate::command::Failure;
use crate::command::quickstart::setup::Demonstration;
use crate::host::signals::Signals;
use crate::log::{self, LogConfig};
use crate::print;

/// `--once` gives up after this: a slow machine compiles three formatters first.
const PATIENCE: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(5);
/// Between two samples, slow enough to read.
const SAMPLE_PAUSE: Duration = Duration::from_millis(700);

pub(crate) async fn run(once: bool) -> Result<(), Failure> {
    // Only what goes wrong: the events are what there is to see.
    log::start(&LogConfig { level: "warn".to_owned(), ..LogConfig::default() });
    print::aside("Starting three pretend SIEMs and a host; the formatters are compiled first.");
    let demonstration = Demonstration::start().await?;
    if once { deliver_once(demonstration).await } else { deliver_until_stopped(demonstration).await }
}

async fn deliver_once(demonstration: Demonstration) -> Result<(), Failure> {
    let samples = samples::all();
    demonstration.send(&samples).await?;
    let mut short = Vec::new();
    for siem in demonstration.siems() {
        if siem.receiver.wait_for(samples.len(), PATIENCE).await.is_err() {
            short.push(siem.name);
        }
    }
    show::summary(&demonstration, samples.len()).await?;
    demonstration.stop(GRACE).await?;
    if short.is_empty() {
        return Ok(());
    }
    Err(anyhow!("not all events arrived at {} within {PATIENCE:?}", short.join(", ")).into())
}

async fn deliver_until_stopped(demonstration: Demonstration) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    show::introduction(&demonstration);
    let watching = demonstration.siems().iter().map(|siem| watch(siem.name, siem.receiver.subscribe()));
    let watching = futures_util::future::join_all(watching);
    tokio::select! {
        sent = send_forever(&demonstration) => sent?,
        _ = watching => {}
        () = signals.stop() => {}
    }
    show::summary(&demonstration, demonstration.sent()).await?;
    demonstration.stop(GRACE).await?;
    Ok(())
}

async fn send_forever(demonstration: &Demonstration) -> Result<()> {
    let mut pause = tokio::time::interval(SAMPLE_PAUSE);
    for index in 0.. {
        pause.tick().await;
        let samples = samples::all();
        let sample = samples.get(index % samples.len()).context("there are no samples")?;
        demonstration.send(std::slice::from_ref(sample)).await?;
    }
    Ok(())
}

/// Prints what arrives at one SIEM.
async fn watch(name: &'static str, mut exchanges: broadcast::Receiver<std::sync::Arc<Exchange>>) {
    loop {
        match exchanges.recv().await {
            Ok(exchange) => show::exchange(name, &exchange),
            // Too fast for the terminal: the totals go on.
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

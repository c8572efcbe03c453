//! What a newcomer sees.

use anyhow::Result;
use comfy_table::Color;
use serde_json::Value;
use siemaphore_receiver::{Exchange, Received};

use crate::command::quickstart::setup::Demonstration;
use crate::print;

pub(crate) fn introduction(demonstration: &Demonstration) {
    let (intake, token) = (demonstration.intake(), demonstration.source_token());
    print::line(
        "Each line below is an AI security event that has arrived at a SIEM: taken over HTTP, fsynced, formatted by a",
    );
    print::line("WebAssembly component, and delivered over TLS with that SIEM's own authentication.\n");
    print::line("Send one yourself:");
    print::line(format_args!(
        "  curl -H 'Authorization: Bearer {token}' -d '{{\"event_type\":\"demo.hello\",\"severity\":\"high\"}}' {intake}"
    ));
    print::line("Ask the host:");
    let config = demonstration.configuration_file();
    // Under `cargo run` the program is not where the shell would look for it.
    let program = std::env::current_exe().unwrap_or_else(|_| "siemaphore".into());
    print::line(format_args!("  {} destination list --config {}", program.display(), config.display()));
    print::line("Stop with Ctrl-C.\n");
}

/// The records of one request, a line each.
pub(crate) fn exchange(name: &str, exchange: &Exchange) {
    for received in &exchange.received {
        print::line(format_args!("{name:<9} {}", excerpt(received)));
    }
    if let Some(refusal) = &exchange.request.refusal {
        print::line(format_args!("{name:<9} refused: {refusal}"));
    }
}

const EXCERPT_CHARACTERS: usize = 150;

fn excerpt(received: &Received) -> String {
    let short: String = received.raw.chars().take(EXCERPT_CHARACTERS).collect();
    if short.len() < received.raw.len() { format!("{short}…") } else { short }
}

/// One row for each SIEM, and a whole record of each.
pub(crate) async fn summary(demonstration: &Demonstration, sent: usize) -> Result<()> {
    let mut table = print::table(&[
        "SIEM",
        "events sent",
        "arrived",
        "requests",
        "bytes",
        "over the wire",
        "rules broken",
    ]);
    for siem in demonstration.siems() {
        let totals = siem.receiver.totals();
        let requests = siem.receiver.requests();
        let plain: usize = requests.iter().map(|request| request.plain_bytes).sum();
        let wire: usize = requests.iter().map(|request| request.compressed_bytes).sum();
        let complete = totals.records >= sent as u64;
        table.add_row(vec![
            print::cell(siem.name),
            print::cell(sent),
            print::cell(totals.records).fg(if complete { Color::Green } else { Color::Red }),
            print::cell(totals.requests),
            print::cell(print::size(plain as u64)),
            print::cell(print::size(wire as u64)),
            print::cell(totals.violations),
        ]);
    }
    for siem in demonstration.siems() {
        if let Some(first) = siem.receiver.received().first() {
            print::line(format_args!("\n{}: {}", siem.name, first.path));
            print::line(pretty(&first.record)?);
        }
    }
    print::line("");
    print::show(&table);
    explain(demonstration).await
}

/// Why a SIEM has not got everything, in the words that an operator would see.
async fn explain(demonstration: &Demonstration) -> Result<()> {
    for destination in demonstration.host().handles().destinations.iter() {
        let Some(error) = destination.pipeline.as_ref().and_then(|pipeline| pipeline.status().last_error)
        else {
            continue;
        };
        print::line(format_args!("{}: {}\n  hint: {}", destination.id, error.reason, error.hint));
    }
    Ok(())
}

fn pretty(record: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(record)?)
}

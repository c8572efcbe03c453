//! `siemaphore source`

#![allow(clippy::indexing_slicing, reason = "what is missing in a JSON value reads as null")]

use comfy_table::{Cell, Color};
use serde_json::Value;

use crate::cli::Asking;
use crate::command::Failure;
use crate::config;
use crate::control::Client;
use crate::print;

pub(crate) async fn list(asking: &Asking) -> Result<(), Failure> {
    let client = Client::host(&config::state_folder(&asking.configured.config)?);
    let sources: Vec<Value> = client.get("/v1/sources").await?;
    if asking.json {
        return Ok(print::json(&sources)?);
    }
    let header = ["source", "kind", "producer", "state", "accepted", "refused", "last accepted"];
    let mut table = print::table(&header);
    for source in &sources {
        table.add_row(row(source));
    }
    // Both are in the configuration.
    print::show_fitted(&mut table, &[1, 2]);
    for source in &sources {
        explain(source);
    }
    Ok(())
}

fn row(source: &Value) -> Vec<Cell> {
    let last = source["last_accepted_ms"].as_u64();
    let last = last.map_or("never".to_owned(), |then| format!("{} ago", print::ago(print::now_ms(), then)));
    vec![
        print::cell(id(source)),
        print::cell(text(&source["kind"])),
        print::cell(text(&source["profile"])),
        state(source),
        print::cell(&source["accepted"]),
        refused(source),
        print::cell(last),
    ]
}

fn state(source: &Value) -> Cell {
    let state = text(&source["state"]);
    let color = if state == "waiting" { Color::Red } else { Color::Green };
    print::cell(state).fg(color)
}

fn refused(source: &Value) -> Cell {
    let cell = print::cell(&source["refused"]);
    if source["refused"] == 0 { cell } else { cell.fg(Color::Yellow) }
}

/// What is wrong, below the table: too long for a column.
fn explain(source: &Value) {
    let id = id(source);
    if let Some(problem) = source["problem"].as_str() {
        print::line(format_args!("\n{id} waits: {problem}"));
        print::line(format_args!("  hint: {}", text(&source["hint"])));
    }
    let events = reasons(&source["refused_by"]);
    if !events.is_empty() {
        let refused = print::count(source["refused"].as_u64().unwrap_or_default(), "event");
        print::line(format_args!("\n{id} had {refused} refused: {events}"));
        let last = &source["last_refusal"];
        let at = print::ago(print::now_ms(), last["at_ms"].as_u64().unwrap_or_default());
        print::line(format_args!("  the last, {at} ago: {}", text(&last["text"])));
    }
    for (version, events) in source["unknown_versions"].as_object().into_iter().flatten() {
        let events = print::count(events.as_u64().unwrap_or_default(), "event");
        print::line(format_args!("\n{id} had {events} accepted of an unknown version: {version}"));
    }
    let requests = reasons(&source["refused_requests"]);
    if !requests.is_empty() {
        print::line(format_args!("\n{id} had whole requests refused: {requests}"));
    }
}

/// `schema 3, not-json 1`
fn reasons(counts: &Value) -> String {
    let each = counts.as_object().into_iter().flatten();
    let each: Vec<String> = each.map(|(reason, count)| format!("{reason} {count}")).collect();
    each.join(", ")
}

fn id(source: &Value) -> String {
    format!("{}/{}", text(&source["organization"]), text(&source["name"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

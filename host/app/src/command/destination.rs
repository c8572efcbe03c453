//! `siemaphore destination`

#![allow(clippy::indexing_slicing, reason = "what is missing in a JSON value reads as null")]

use comfy_table::{Cell, Color};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::{Asking, Destination};
use crate::command::Failure;
use crate::command::adoption::{NotAdopted, Use};
use crate::command::destination_name::DestinationName;
use crate::config;
use crate::control::Client;
use crate::print;

pub(crate) async fn run(command: Destination) -> Result<(), Failure> {
    match command {
        Destination::List(asking) => list(&asking).await,
        Destination::Test { name, asking } => test(&name, &asking).await,
    }
}

async fn list(asking: &Asking) -> Result<(), Failure> {
    let client = Client::host(&config::state_folder(&asking.configured.config)?);
    let destinations: Vec<Value> = client.get("/v1/destinations").await?;
    if asking.json {
        return Ok(print::json(&destinations)?);
    }
    let header =
        ["destination", "formatter", "state", "delivered", "waiting", "dead", "expired", "last success"];
    let mut table = print::table(&header);
    for destination in &destinations {
        table.add_row(row(destination));
    }
    // The formatter is in the configuration, and what has expired in the ledger.
    print::show_fitted(&mut table, &[1, 6, 5]);
    for destination in &destinations {
        explain(destination);
        tell_version(destination);
    }
    Ok(())
}

fn row(destination: &Value) -> Vec<Cell> {
    let ledger = |term: &str| print::cell(&destination["ledger"][term]);
    let last_success = destination["status"]["last_success_ms"].as_u64();
    vec![
        print::cell(id(destination)),
        print::cell(text(&destination["formatter"])),
        state(destination),
        ledger("delivered"),
        ledger("waiting"),
        ledger("dead_lettered"),
        ledger("expired"),
        print::cell(
            last_success
                .map_or("never".to_owned(), |then| format!("{} ago", print::ago(print::now_ms(), then))),
        ),
    ]
}

fn state(destination: &Value) -> Cell {
    let state = destination["status"]["state"].as_str().unwrap_or("disabled");
    let color = match state {
        "active" | "idle" => Color::Green,
        "failing" => Color::Yellow,
        "holding" => Color::Red,
        _ => Color::Grey,
    };
    print::cell(state).fg(color)
}

/// What is wrong and what to do, below the table: too long for a column.
fn explain(destination: &Value) {
    let status = &destination["status"];
    if !matches!(status["state"].as_str(), Some("failing" | "holding")) {
        return;
    }
    let (reason, now_ms) = (text(&status["last_error"]["reason"]), print::now_ms());
    let at = status["last_error"]["at_ms"].as_u64();
    let at = at.map(|at| format!(", {} ago", print::ago(now_ms, at))).unwrap_or_default();
    print::line(format_args!("\n{}{at}: {reason}", id(destination)));
    print::line(format_args!("  hint: {}", text(&status["last_error"]["hint"])));
    if let Some(next) = status["next_attempt_ms"].as_u64() {
        let (fate, next) = (fate(&destination["ledger"]), print::until(now_ms, next));
        print::line(format_args!("  {fate}; next attempt {next}"));
    }
}

/// The version that formats is another one than the formatter's active one. While nothing formats, that is the reason
/// which is told already.
fn tell_version(destination: &Value) {
    let status = &destination["status"];
    let Some(version) = status["plugin_version"].as_str() else { return };
    let told = Use {
        destination: id(destination),
        version: Some(version.to_owned()),
        digest: status["plugin_digest"].as_str().map(str::to_owned),
        not_adopted: NotAdopted::deserialize(&status["not_adopted"]).ok(),
    }
    .told();
    if let Some(told) = told {
        print::line(format_args!("\n{}\n  hint: {}", told.text, told.hint));
    }
}

/// What has become of the events that were not delivered. What expired is gone; what is a dead letter is still stored.
fn fate(ledger: &Value) -> String {
    let number = |term: &str| ledger[term].as_u64().unwrap_or_default();
    let waiting = number("waiting");
    let verb = if waiting == 1 { "waits" } else { "wait" };
    let waiting = format!("{} {verb}", print::count(waiting, "event"));
    let expired = number("expired");
    let dead = number("dead_lettered");
    let expired = (expired > 0).then(|| {
        let verb = if expired == 1 { "was" } else { "were" };
        format!("{} expired undelivered and {verb} given up", print::count(expired, "event"))
    });
    let dead = (dead > 0).then(|| {
        let verb = if dead == 1 { "is" } else { "are" };
        format!("{} {verb} in the dead letters (`siemaphore dead-letters list`)", print::count(dead, "event"))
    });
    let given_up: Vec<String> = expired.into_iter().chain(dead).collect();
    match given_up.is_empty() {
        true => format!("nothing is lost: {waiting}"),
        false => format!("{}; {waiting}", given_up.join("; ")),
    }
}

async fn test(name: &str, asking: &Asking) -> Result<(), Failure> {
    let client = Client::host(&config::state_folder(&asking.configured.config)?);
    let name = DestinationName::find(&client, "/v1/destinations", name).await?;
    let report: Value = client.post(&name.path("test")).await?;
    if asking.json {
        print::json(&report)?;
    } else {
        show(&report);
    }
    if report["ok"] == true { Ok(()) } else { Err(Failure::Said) }
}

fn show(report: &Value) {
    if let Some(request) = report["request"].as_str() {
        print::line(format_args!("request  {request}"));
    }
    if let Some(status) = report["status"].as_u64() {
        print::line(format_args!("answer   {status} {}", text(&report["answer"])));
    }
    if report["ok"] == true {
        print::line("result   the SIEM has taken the event");
        print::line(format_args!("look for event type siemaphore.test, key {}", text(&report["event_key"])));
    } else {
        print::line(format_args!("result   failed: {}", text(&report["reason"])));
        // A SIEM that refused the event said all there is to say.
        if let Some(hint) = report["hint"].as_str().filter(|hint| !hint.is_empty()) {
            print::line(format_args!("hint     {hint}"));
        }
    }
}

fn id(destination: &Value) -> String {
    format!("{}/{}", text(&destination["organization"]), text(&destination["name"]))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_expired_or_is_a_dead_letter_is_not_called_safe() {
        for (ledger, told) in [
            (json!({ "waiting": 1, "expired": 0, "dead_lettered": 0 }), "nothing is lost: 1 event waits"),
            (
                json!({ "waiting": 0, "expired": 2, "dead_lettered": 0 }),
                "2 events expired undelivered and were given up; 0 events wait",
            ),
            (
                json!({ "waiting": 3, "expired": 1, "dead_lettered": 1 }),
                "1 event expired undelivered and was given up; 1 event is in the dead letters \
                 (`siemaphore dead-letters list`); 3 events wait",
            ),
        ] {
            assert_eq!(fate(&ledger), told);
        }
    }
}

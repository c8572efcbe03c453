//! `siemaphore profile try`: what a profile makes of events, without a host.

use serde_json::{Value, json};
use siemaphore_model::Event;

use crate::cli::Try;
use crate::command::{Failure, reading};
use crate::print;

pub(crate) async fn run(command: Try) -> Result<(), Failure> {
    let normaliser = reading::normaliser(&command.reading)?;
    let read = move || reading::read(&command.events, &normaliser);
    let taken = tokio::task::spawn_blocking(read).await??;
    if command.json {
        let events = taken.events.iter().map(|event| as_json(&event)).collect::<Result<Vec<_>, _>>()?;
        let refused = taken.refused.iter().map(|(event, reason)| json!({ "event": event, "reason": reason }));
        let refused: Vec<Value> = refused.collect();
        let versions = taken.unknown_versions.iter();
        let versions: Vec<Value> =
            versions.map(|(event, version)| json!({ "event": event, "version": version })).collect();
        print::json(&json!({
            "events": events,
            "refused": refused,
            "unknown_versions": versions,
            "redacted": taken.redacted,
        }))?;
    } else {
        taken.events.iter().for_each(|event| show(&event));
        for (event, reason) in &taken.refused {
            print::aside(format_args!("event {event} would be refused: {reason}"));
        }
        for (event, version) in &taken.unknown_versions {
            print::aside(format_args!("event {event} is of an unknown version: {version}"));
        }
        print::aside(reading::redacted(taken.redacted));
    }
    if taken.refused.is_empty() { Ok(()) } else { Err(Failure::Said) }
}

fn show(event: &Event<'_>) {
    for (name, value) in [
        ("producer", event.producer()),
        ("id", event.id()),
        ("type", event.event_type()),
        ("time", event.timestamp()),
        ("severity", event.severity().as_str()),
        ("project", event.project().unwrap_or_default()),
        ("document", event.document()),
    ] {
        // A dash, so that one sees at once what the profile did not find.
        let value = if value.is_empty() { "-" } else { value };
        print::line(format_args!("{name:9} {value}"));
    }
    print::line("");
}

fn as_json(event: &Event<'_>) -> serde_json::Result<Value> {
    Ok(json!({
        "producer": event.producer(),
        "id": event.id(),
        "event_type": event.event_type(),
        "timestamp": event.timestamp(),
        "severity": event.severity().as_str(),
        "project": event.project(),
        "document": serde_json::from_str::<Value>(event.document())?,
    }))
}

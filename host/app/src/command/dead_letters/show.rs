//! `siemaphore dead-letters show ID`: everything that is kept of one.

#![allow(clippy::indexing_slicing, reason = "what is missing in a JSON value reads as null")]

use serde_json::Value;

use crate::cli::Asking;
use crate::command::Failure;
use crate::command::dead_letters::runnable;
use crate::control::Client;
use crate::print;

/// Of an answer, as much as helps to recognise it; `--json` has all that is kept.
const ANSWER_SHOWN: usize = 300;

pub(crate) async fn run(id: i64, asking: &Asking) -> Result<(), Failure> {
    let client = Client::host_or_store(&asking.configured).await?;
    let shown: Value = client.get(&format!("/v1/dead-letters/{id}")).await?;
    if asking.json {
        return Ok(print::json(&shown)?);
    }
    let (letter, envelope) = (&shown["dead_letter"], &shown["siemaphore"]);
    let digest: String = text(&letter["plugin_digest"]).chars().take(12).collect();
    for (title, value) in [
        ("destination", text(&letter["destination"])),
        ("cause", text(&letter["cause"])),
        ("hint", runnable(&text(&letter["hint"]), &text(&letter["destination"]))),
        ("given up", given_up(letter)),
        ("formatter", format!("{} {} {digest}", text(&letter["plugin"]), text(&letter["plugin_version"]))),
        ("event", format!("{} of {}", text(&envelope["event_type"]), text(&envelope["timestamp"]))),
        ("key", text(&envelope["event_key"])),
    ] {
        print::line(format_args!("{title:12} {value}"));
    }
    attempts(letter);
    print::line(format_args!("\n{}", serde_json::to_string_pretty(&shown["event"])?));
    if letter["replay_requested"] == true {
        print::aside("\nit is on its way again");
    } else {
        print::aside(format_args!(
            "\n`siemaphore dead-letters replay {id}` sends it again, `discard {id}` drops it"
        ));
    }
    Ok(())
}

fn given_up(letter: &Value) -> String {
    let [created, updated] = ["created_ms", "updated_ms"].map(|key| letter[key].as_u64().unwrap_or_default());
    match updated > created {
        true => format!("{}, and again {}", print::time(created), print::time(updated)),
        false => print::time(created),
    }
}

fn attempts(letter: &Value) {
    let latest = letter["latest_attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    if latest.is_empty() {
        print::line("\nit was never sent");
        return;
    }
    let all = letter["attempts"].as_u64().unwrap_or_default();
    let which = if all > latest.len() as u64 {
        format!(" (the last {} of {all})", latest.len())
    } else {
        String::new()
    };
    print::line(format_args!("\nattempts{which}"));
    for attempt in latest {
        let status = attempt["status"].as_u64().map_or("no answer".to_owned(), |status| status.to_string());
        let at = print::time(attempt["at_ms"].as_u64().unwrap_or_default());
        print::line(format_args!("  {at}  {status}  {}", text(&attempt["reason"])));
        let answer: String = text(&attempt["answer"]).chars().take(ANSWER_SHOWN).collect();
        if !answer.is_empty() {
            print::line(format_args!("    {}", answer.replace('\n', "\n    ")));
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

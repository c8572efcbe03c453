//! `siemaphore dead-letters`

use serde_json::Value;

use crate::cli::DeadLetters;
use crate::command::Failure;
use crate::config;
use crate::control::Client;
use crate::print;

pub(crate) async fn run(command: DeadLetters) -> Result<(), Failure> {
    let DeadLetters::List { destination, limit, asking } = command;
    let client = Client::new(&config::state_folder(&asking.configured.config)?);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string()).extend_pairs(destination.map(|id| ("destination", id)));
    let letters: Vec<Value> = client.get(&format!("/v1/dead-letters?{}", query.finish())).await?;
    if asking.json {
        return Ok(print::json(&letters)?);
    }
    let mut table =
        print::table(&["id", "destination", "event type", "event key", "attempts", "cause", "hint"]);
    for letter in &letters {
        let columns = ["id", "destination", "event_type", "event_key", "attempts", "cause", "hint"];
        table.add_row(columns.map(|column| print::cell(text(&letter[column]))));
    }
    if letters.is_empty() {
        print::aside("no event has been given up");
    } else {
        print::show(&table);
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

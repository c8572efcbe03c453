//! `siemaphore dead-letters`: events that were given up.

mod discard;
mod replay;
mod selection;
mod show;

use std::path::Path;

use http::Method;
use serde_json::{Value, json};

use crate::cli::{Asking, DeadLetters};
use crate::command::destination_name::DestinationName;
use crate::command::{Failure, output, progress};
use crate::control::Client;
use crate::print;

pub(crate) async fn run(command: DeadLetters) -> Result<(), Failure> {
    match command {
        DeadLetters::List { destination, after, limit, asking } => {
            list(destination.as_deref(), after, limit, &asking).await
        }
        DeadLetters::Show { id, asking } => show::run(id, &asking).await,
        DeadLetters::Replay { which, cancel: true, asking, .. } => {
            replay::cancel(which.destination.as_deref(), &asking).await
        }
        DeadLetters::Replay { which, no_wait, asking, .. } => replay::run(which, no_wait, &asking).await,
        DeadLetters::Discard { which, yes, asking } => discard::run(which, yes, &asking).await,
        DeadLetters::Export { file, destination, asking } => {
            export(&file, destination.as_deref(), &asking).await
        }
    }
}

async fn list(
    destination: Option<&str>,
    after: Option<i64>,
    limit: u32,
    asking: &Asking,
) -> Result<(), Failure> {
    let client = Client::host_or_store(&asking.configured).await?;
    let mut query = query(&client, destination).await?;
    query.append_pair("limit", &limit.to_string());
    query.extend_pairs(after.map(|after| ("after", after.to_string())));
    let letters: Vec<Value> = client.get(&format!("/v1/dead-letters?{}", query.finish())).await?;
    if asking.json {
        return Ok(print::json(&letters)?);
    }
    if letters.is_empty() {
        print::aside(if after.is_some() { "no more" } else { "no event has been given up" });
        return Ok(());
    }
    let mut table = print::table(&["id", "destination", "event type", "tries", "given up", "cause"]);
    for letter in &letters {
        table.add_row(show::row(letter));
    }
    print::show(&table);
    if letters.len() >= limit as usize {
        let last = letters.last().and_then(|letter| letter.get("id")).unwrap_or(&Value::Null);
        print::aside(format_args!("there may be more: --after {last}"));
    }
    print::aside("`siemaphore dead-letters show ID` shows the event, every attempt and what to do");
    Ok(())
}

async fn export(file: &Path, destination: Option<&str>, asking: &Asking) -> Result<(), Failure> {
    let client = Client::host_or_store(&asking.configured).await?;
    let query = query(&client, destination).await?.finish();
    let answer = client.read(Method::GET, &format!("/v1/dead-letters/export?{query}"), &()).await?;
    let to_standard_output = file == Path::new("-");
    let bar = progress::count(answer.expected_lines(), "dead letters");
    let bar = progress::beside(bar, to_standard_output);
    let written = output::write(answer, Some(file), &bar).await;
    bar.finish_and_clear();
    let written = written?;
    let letters = print::count(written.lines, "dead letter");
    match (asking.json, to_standard_output) {
        (true, false) => {
            print::json(&json!({ "dead_letters": written.lines, "size_bytes": written.bytes }))?;
        }
        (false, false) => {
            print::line(format_args!("{letters}, {} in {}", print::size(written.bytes), file.display()))
        }
        (_, true) => print::aside(letters),
    }
    Ok(())
}

/// The beginning of a query: which destination, if any.
async fn query(
    client: &Client,
    destination: Option<&str>,
) -> Result<url::form_urlencoded::Serializer<'static, String>, Failure> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(name) = destination {
        query.append_pair("destination", &DestinationName::find_stored(client, name).await?.id());
    }
    Ok(query)
}

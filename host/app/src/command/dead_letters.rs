//! `siemaphore dead-letters`: events that were given up.

mod discard;
mod list;
mod replay;
mod selection;
mod show;

use std::path::Path;

use http::Method;
use serde_json::json;

use crate::cli::{Asking, DeadLetters};
use crate::command::destination_name::DestinationName;
use crate::command::{Failure, output, progress};
use crate::control::Client;
use crate::print;

pub(crate) async fn run(command: DeadLetters) -> Result<(), Failure> {
    match command {
        DeadLetters::List { destination, after, limit, asking } => {
            list::run(destination.as_deref(), after, limit, &asking).await
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

/// A hint as it was stored, before anybody knew who would read it, with the destination that its command is for.
fn runnable(hint: &str, destination: &str) -> String {
    hint.replace("--destination NAME", &format!("--destination {destination}"))
}

//! `siemaphore export`: the stored events as JSON Lines, the oldest first.
//!
//! A line is `{"siemaphore":{…},"event":{…}}`: the event exactly as it is stored, and what the host knows about it.
//! `siemaphore send` takes such a file and sends the events.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, anyhow};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::Export;
use crate::command::destination_name::DestinationName;
use crate::command::output::{self, Written};
use crate::command::{Failure, api_path, progress};
use crate::control::Client;
use crate::print;

/// A stretch of events that could not be read any more.
#[derive(Debug, Deserialize, Serialize)]
struct Damaged {
    organization: String,
    first_position: u64,
    events: u64,
    stored_ms: u64,
    found_ms: u64,
    reason: String,
    size_bytes: u64,
}

pub(crate) async fn run(command: Export) -> Result<(), Failure> {
    check_stretch(&command)?;
    let client = Client::host_or_store(&command.configured).await?;
    let answer = client.read(Method::GET, &path(&command), &()).await?;
    if let Some(organization) = command.organization.as_deref().filter(|_| answer.expected_lines() == Some(0))
    {
        refuse_unknown(&client, organization).await?;
    }
    let bar = progress::beside(progress::count(answer.expected_lines(), "events"), command.out.is_none());
    let written = output::write(answer, command.out.as_deref(), &bar).await;
    bar.finish_and_clear();
    let written = written?;
    // Asked for afterwards: damage may only have been found on the way.
    let mut damaged: Vec<Damaged> = client.get("/v1/store/damaged").await?;
    damaged.retain(|block| concerns(&command, block));
    if let Some(folder) = &command.damaged {
        save(&client, &damaged, folder).await?;
    }
    report(&command, written, &damaged)?;
    // What is missing must not look like success.
    if damaged.is_empty() { Ok(()) } else { Err(Failure::Said) }
}

/// A stretch of time that cannot hold an event is a slip, and must not look like an empty store.
fn check_stretch(command: &Export) -> Result<(), Failure> {
    let since_ms = command.since.at_ms;
    let since = print::time(since_ms);
    if since_ms > print::now_ms() {
        let hint = "write when the export shall begin: a time before now, or how long ago, such as `24h`";
        return Err(anyhow!("--since is {since}, which is still to come\n  hint: {hint}").into());
    }
    match command.until.map(|until| until.at_ms) {
        Some(until_ms) if until_ms <= since_ms => Err(anyhow!(
            "--until is {}, and --since is {since}: there is nothing in between\n  hint: write an --until after --since",
            print::time(until_ms)
        )
        .into()),
        _ => Ok(()),
    }
}

/// Of an organisation of which nothing is stored: whether there is such a one.
async fn refuse_unknown(client: &Client, organization: &str) -> Result<(), Failure> {
    let destinations: Vec<DestinationName> = client.get("/v1/ledger").await?;
    let known: BTreeSet<String> = destinations.into_iter().map(|known| known.organization).collect();
    if known.contains(organization) {
        return Ok(());
    }
    let known: Vec<String> = known.into_iter().collect();
    let others = match known.is_empty() {
        true => "nor any other".to_owned(),
        false => format!("there are: {}", known.join(", ")),
    };
    Err(anyhow!("there is no organisation `{organization}`; {others}").into())
}

fn path(command: &Export) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("since_ms", &command.since.at_ms.to_string());
    query.extend_pairs(command.until.map(|until| ("until_ms", until.at_ms.to_string())));
    query.extend_pairs(command.organization.as_ref().map(|organization| ("organization", organization)));
    format!("/v1/events/export?{}", query.finish())
}

/// Whether the events would have been in this export.
fn concerns(command: &Export, block: &Damaged) -> bool {
    let organization = command.organization.as_ref();
    block.stored_ms >= command.since.at_ms
        && command.until.is_none_or(|until| block.stored_ms < until.at_ms)
        && organization.is_none_or(|organization| *organization == block.organization)
}

/// Each block as it was found: a zstd frame with something wrong in it, of which tools may still read a part.
async fn save(client: &Client, damaged: &[Damaged], folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for block in damaged.iter().filter(|block| block.size_bytes > 0) {
        let path = folder.join(format!("{}-{}.zst", block.organization, block.first_position));
        let position = block.first_position.to_string();
        let mut answer = client.read(Method::GET, &api_path(&["store", "damaged", &position]), &()).await?;
        let mut file = output::create(&path)?;
        while let Some(piece) = answer.piece().await? {
            file.write_all(&piece).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

/// On standard error when the events went to standard output.
fn report(command: &Export, written: Written, damaged: &[Damaged]) -> Result<(), Failure> {
    if command.json {
        let Written { lines, bytes } = written;
        return Ok(print::json(&json!({ "events": lines, "size_bytes": bytes, "damaged": damaged }))?);
    }
    let say = |text: String| match &command.out {
        Some(_) => print::line(text),
        None => print::aside(text),
    };
    let place = command.out.as_ref().map(|file| format!(" in {}", file.display())).unwrap_or_default();
    say(format!("{}, {}{place}", print::count(written.lines, "event"), print::size(written.bytes)));
    for block in damaged {
        let Damaged { organization, first_position, events, stored_ms, reason, .. } = block;
        let stored = print::time(*stored_ms);
        say(format!(
            "missing: {} of {organization} from position {first_position} on, stored {stored}: {reason}",
            print::count(*events, "event")
        ));
    }
    if !damaged.is_empty() && command.damaged.is_none() {
        say("hint: `--damaged FOLDER` saves the bytes of what is damaged as it was found".to_owned());
    }
    Ok(())
}

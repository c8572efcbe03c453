//! `siemaphore dead-letters replay`: asks the host to send letters again, and follows until they are through.
//!
//! The host does the work, whether or not somebody watches: breaking off here only ends the watching.

mod follow;

use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Asking, Which};
use crate::command::Failure;
use crate::command::dead_letters::replay::follow::Followed;
use crate::command::dead_letters::selection::{self, Selected};
use crate::command::destination_name::DestinationName;
use crate::control::Client;
use crate::print;

/// What one destination was asked for.
pub(crate) struct Asked {
    destination: DestinationName,
    requested: u64,
    /// Their number, with those that were on their way before.
    waiting: u64,
    /// The host's clock before letters were marked.
    at_ms: u64,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    requested: u64,
    arrived: u64,
    failed_again: u64,
    /// Not sent yet when this command ended.
    waiting: u64,
}

pub(crate) async fn run(which: Which, no_wait: bool, asking: &Asking) -> Result<(), Failure> {
    let client = Client::host_or_store(&asking.configured).await?;
    // Heard from before anything is asked for, so that it never looks as if the replay itself had been broken off.
    let interrupts = signal(SignalKind::interrupt())?;
    let mut asked = Vec::new();
    for selected in selection::resolve(&client, &which).await? {
        asked.push(ask(&client, selected).await?);
    }
    let mut summary = Summary {
        requested: asked.iter().map(|asked| asked.requested).sum(),
        waiting: asked.iter().map(|asked| asked.waiting).sum(),
        ..Summary::default()
    };
    if no_wait || summary.waiting == 0 || !client.is_host() {
        say_requested(&summary, client.is_host(), asking.json)?;
        return Ok(());
    }
    let followed = follow::run(&client, &asked, interrupts, asking.json).await?;
    let Followed { waiting, arrived, failed_again, .. } = followed;
    summary = Summary { waiting, arrived, failed_again, ..summary };
    say_result(&summary, &followed, asking.json)?;
    if failed_again == 0 { Ok(()) } else { Err(Failure::Said) }
}

async fn ask(client: &Client, selected: Selected) -> Result<Asked, Failure> {
    #[derive(Deserialize)]
    struct Requested {
        requested: u64,
        waiting: u64,
        at_ms: u64,
    }
    let Selected { destination, letters, .. } = selected;
    let answer: Requested = client.post_json(&destination.path("dead-letters/replay"), &letters).await?;
    let Requested { requested, waiting, at_ms } = answer;
    Ok(Asked { destination, requested, waiting, at_ms })
}

fn say_requested(summary: &Summary, is_host: bool, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return Ok(print::json(summary)?);
    }
    let letters = print::count(summary.waiting, "dead letter");
    match (summary.waiting, is_host) {
        (0, _) => print::line("there is nothing to replay"),
        (_, true) => print::line(format_args!("{letters} on the way")),
        (_, false) => print::line(format_args!("{letters} marked, to be sent when the host runs")),
    }
    Ok(())
}

fn say_result(summary: &Summary, followed: &Followed, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return Ok(print::json(summary)?);
    }
    let Summary { arrived, failed_again, waiting, .. } = summary;
    print::line(format_args!("{arrived} arrived, {failed_again} failed again"));
    if let Some(why) = &followed.ended_early {
        print::line(format_args!("{why}: {} to go", print::count(*waiting, "dead letter")));
    }
    if *failed_again > 0 {
        print::line("`siemaphore dead-letters list` shows why; the letters have the new attempts");
    }
    Ok(())
}

/// Takes back what is not sent yet, of one destination or of all.
pub(crate) async fn cancel(destination: Option<&str>, asking: &Asking) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Cancelled {
        cancelled: u64,
    }
    let client = Client::host_or_store(&asking.configured).await?;
    let destinations = match destination {
        Some(name) => vec![DestinationName::find_stored(&client, name).await?],
        None => client.get("/v1/ledger").await?,
    };
    let mut total = 0;
    for destination in destinations {
        let answer: Cancelled = client.delete(&destination.path("dead-letters/replay")).await?;
        total += answer.cancelled;
    }
    if asking.json {
        return Ok(print::json(&serde_json::json!({ "cancelled": total }))?);
    }
    print::line(format_args!("{} taken back", print::count(total, "dead letter")));
    Ok(())
}

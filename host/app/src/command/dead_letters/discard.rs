//! `siemaphore dead-letters discard`: dropped for good, and counted as that.

use std::io::{BufRead, IsTerminal, stdin};

use anyhow::anyhow;
use serde::Deserialize;
use serde_json::json;

use crate::cli::{Asking, Which};
use crate::command::Failure;
use crate::command::dead_letters::selection::{self, Selected};
use crate::control::Client;
use crate::print;

#[derive(Deserialize)]
struct Discarded {
    discarded: u64,
}

pub(crate) async fn run(which: Which, yes: bool, asking: &Asking) -> Result<(), Failure> {
    let client = Client::host_or_store(&asking.configured).await?;
    let selected = selection::resolve(&client, &which).await?;
    if !selected.is_empty() && !yes {
        confirm(&selected)?;
    }
    let mut total = 0;
    for Selected { destination, letters, .. } in &selected {
        let answer: Discarded = client.post_json(&destination.path("dead-letters/discard"), letters).await?;
        total += answer.discarded;
    }
    if asking.json {
        return Ok(print::json(&json!({ "discarded": total }))?);
    }
    print::line(format_args!("{} discarded", print::count(total, "dead letter")));
    Ok(())
}

/// Nothing brings them back, so a person is asked, and a script has to have meant it.
fn confirm(selected: &[Selected]) -> Result<(), Failure> {
    if !stdin().is_terminal() {
        return Err(anyhow!(
            "nobody is there to confirm that dead letters are dropped for good\n  hint: add --yes"
        )
        .into());
    }
    for Selected { destination, count, .. } in selected {
        print::aside(format_args!("{} of {}", print::count(*count, "dead letter"), destination.id()));
    }
    print::ask("drop them for good? [y/N] ")?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(anyhow!("nothing was discarded").into()),
    }
}

//! `siemaphore plugin promote` and `rollback`: an operator's word about the versions of a plugin.

use serde::{Deserialize, Serialize};

use crate::cli::Asking;
use crate::command::plugin::client;
use crate::command::{Failure, api_path};
use crate::print;

/// What formats now.
#[derive(Debug, Serialize, Deserialize)]
struct Changed {
    version: String,
    digest: String,
    destinations: Vec<String>,
}

pub(crate) async fn promote(name: &str, asking: &Asking) -> Result<(), Failure> {
    let changed = change(name, "promote", asking).await?;
    if asking.json {
        return Ok(print::json(&changed)?);
    }
    say(name, "formats from now on", &changed);
    for destination in &changed.destinations {
        print::line(format_args!("{destination} formats with it, with the request that it asks for"));
    }
    Ok(())
}

pub(crate) async fn roll_back(name: &str, asking: &Asking) -> Result<(), Failure> {
    let changed = change(name, "rollback", asking).await?;
    if asking.json {
        return Ok(print::json(&changed)?);
    }
    say(name, "formats again", &changed);
    print::line(
        "the version that was sent back is not tried again until its file changes, or by `plugin promote`",
    );
    Ok(())
}

async fn change(name: &str, word: &str, asking: &Asking) -> Result<Changed, Failure> {
    Ok(client(asking)?.post(&api_path(&["plugins", name, word])).await?)
}

fn say(name: &str, what: &str, changed: &Changed) {
    let Changed { version, digest, .. } = changed;
    let digest: String = digest.chars().take(12).collect();
    print::line(format_args!("{name}: version {version} ({digest}) {what}"));
}

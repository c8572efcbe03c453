//! `siemaphore plugin promote` and `rollback`: an operator's word about the versions of a plugin.

use serde::{Deserialize, Serialize};

use crate::cli::Asking;
use crate::command::plugin::{client, running};
use crate::command::{Failure, api_path};
use crate::control::Client;
use crate::print;

/// What formats now.
#[derive(Debug, Serialize, Deserialize)]
struct Changed {
    name: String,
    version: String,
    digest: String,
    /// The enabled ones that the plugin formats for.
    destinations: Vec<String>,
    /// Those of them whose changed request is allowed now.
    requests_allowed: Vec<String>,
}

pub(crate) async fn promote(name: &str, asking: &Asking) -> Result<(), Failure> {
    let client = client(asking)?;
    running::find(&client, name).await?.check_file_is_there()?;
    let changed = change(&client, name, "promote").await?;
    if asking.json {
        return Ok(print::json(&changed)?);
    }
    say("formats from now on", &changed);
    for destination in &changed.requests_allowed {
        print::line(format_args!("{destination} formats with it, with the request that it asks for"));
    }
    Ok(())
}

pub(crate) async fn roll_back(name: &str, asking: &Asking) -> Result<(), Failure> {
    let client = client(asking)?;
    running::find(&client, name).await?;
    let changed = change(&client, name, "rollback").await?;
    if asking.json {
        return Ok(print::json(&changed)?);
    }
    say("formats again", &changed);
    print::line(format_args!(
        "the version that was sent back is not tried again until its file changes, or by `siemaphore plugin promote {name}`"
    ));
    Ok(())
}

async fn change(client: &Client, name: &str, word: &str) -> Result<Changed, Failure> {
    Ok(client.post(&api_path(&["plugins", name, word])).await?)
}

fn say(what: &str, changed: &Changed) {
    let Changed { name, version, digest, .. } = changed;
    let digest: String = digest.chars().take(12).collect();
    print::line(format_args!("{name}: version {version} ({digest}) {what}"));
}

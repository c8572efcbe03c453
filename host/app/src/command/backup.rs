//! `siemaphore backup FILE`: a consistent copy of the whole store, while the host goes on or without one.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::Backup;
use crate::command::{Failure, progress};
use crate::config;
use crate::control::Client;
use crate::print;

/// What a host says while it copies.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Step { done_bytes: u64, total_bytes: u64 },
    Done(Summary),
    Failed { error: String },
}

#[derive(Debug, Deserialize, Serialize)]
struct Summary {
    file: PathBuf,
    size_bytes: u64,
    events: u64,
    dead_letters: u64,
}

pub(crate) async fn run(command: Backup) -> Result<(), Failure> {
    let Backup { file, asking } = command;
    let client = Client::host_or_store(&asking.configured).await?;
    // The host has a working folder of its own.
    let file = std::path::absolute(&file).with_context(|| file.display().to_string())?;
    let summary = copy(&client, &file).await?;
    if asking.json {
        return Ok(print::json(&summary)?);
    }
    let Summary { file, size_bytes, events, dead_letters } = summary;
    let folder = std::path::absolute(config::store_config(&asking.configured.config)?.folder)?;
    let (file, folder) = (file.display(), folder.display());
    print::line(format_args!(
        "{file}: {}, {}, {}",
        print::size(size_bytes),
        print::count(events, "stored event"),
        print::count(dead_letters, "dead letter")
    ));
    print::line(format_args!(
        "to restore: stop the host, then\n  rm -f {folder}/store.db-wal {folder}/store.db-shm\n  \
         install -m 600 {file} {folder}/store.db\nand start it again. What was delivered since the copy is sent again; what was accepted since is not in it:\n\
         before you restore, keep the store that is there with another `siemaphore backup`, which needs no running host"
    ));
    Ok(())
}

async fn copy(client: &Client, file: &std::path::Path) -> Result<Summary, Failure> {
    let mut answer = client.read(Method::POST, "/v1/store/backup", &json!({ "file": file })).await?;
    let bar = progress::bytes(0);
    while let Some(line) = answer.line().await? {
        match serde_json::from_slice(&line)
            .context("the host's answer cannot be read: is it another version?")?
        {
            Line::Step { done_bytes, total_bytes } => {
                bar.set_length(total_bytes);
                bar.set_position(done_bytes);
            }
            Line::Done(summary) => {
                bar.finish_and_clear();
                return Ok(summary);
            }
            Line::Failed { error } => {
                bar.finish_and_clear();
                return Err(anyhow!(error).into());
            }
        }
    }
    Err(anyhow!("the host broke the copy off\n  hint: see its log").into())
}

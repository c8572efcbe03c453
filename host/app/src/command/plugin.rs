//! `siemaphore plugin`

#![allow(clippy::indexing_slicing, reason = "what is missing in a JSON value reads as null")]

mod format;
mod inspect;
mod offline;

use comfy_table::{Cell, Color};
use serde_json::Value;

use crate::cli::{Asking, Plugin};
use crate::command::{Failure, api_path};
use crate::config;
use crate::control::Client;
use crate::print;

pub(crate) async fn run(command: Plugin) -> Result<(), Failure> {
    match command {
        Plugin::List(asking) => {
            let plugins: Vec<Value> = client(&asking)?.get("/v1/plugins").await?;
            show(&plugins, asking.json)
        }
        Plugin::Reload(asking) => {
            let plugins: Vec<Value> = client(&asking)?.post("/v1/plugins/reload").await?;
            show(&plugins, asking.json)
        }
        Plugin::Inspect { plugin, json } => inspect::run(plugin, json).await,
        Plugin::Format(format) => format::run(format).await,
        Plugin::Promote { name, asking } => promote(&name, &asking).await,
    }
}

fn client(asking: &Asking) -> Result<Client, Failure> {
    Ok(Client::host(&config::state_folder(&asking.configured.config)?))
}

async fn promote(name: &str, asking: &Asking) -> Result<(), Failure> {
    let promoted: Value = client(asking)?.post(&api_path(&["plugins", name, "promote"])).await?;
    if asking.json {
        return Ok(print::json(&promoted)?);
    }
    for destination in promoted["destinations"].as_array().into_iter().flatten() {
        print::line(format_args!(
            "{} formats with the new version",
            destination.as_str().unwrap_or_default()
        ));
    }
    Ok(())
}

fn show(plugins: &[Value], as_json: bool) -> Result<(), Failure> {
    if as_json {
        return Ok(print::json(&plugins)?);
    }
    let mut table = print::table(&["name", "origin", "state", "version", "digest", "size", "title"]);
    for plugin in plugins {
        let text = |key: &str| plugin[key].as_str().unwrap_or_default().to_owned();
        let digest: String = text("digest").chars().take(12).collect();
        table.add_row(vec![
            print::cell(text("name")),
            print::cell(text("origin")),
            state(&text("state")),
            print::cell(text("version")),
            print::cell(digest),
            print::cell(plugin["size_bytes"].as_u64().map(print::size).unwrap_or_default()),
            print::cell(text("title")),
        ]);
    }
    print::show_fitted(&mut table, &[5, 1]);
    for plugin in plugins {
        if let Some(error) = plugin["error"].as_str() {
            print::line(format_args!("\n{}: {error}", plugin["name"].as_str().unwrap_or_default()));
        }
    }
    Ok(())
}

fn state(state: &str) -> Cell {
    let cell = print::cell(state);
    match state {
        "active" => cell.fg(Color::Green),
        "available" => cell,
        _ => cell.fg(Color::Red),
    }
}

//! `siemaphore plugin list` and `reload`: what formats, and below the table what is wrong or waits.

#![allow(clippy::indexing_slicing, reason = "what is missing in a JSON value reads as null")]

use comfy_table::{Cell, Color};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::{Asking, List, ListedState};
use crate::command::Failure;
use crate::command::adoption::Use;
use crate::command::plugin::{client, running};
use crate::print;

pub(crate) async fn list(List { name, state, asking }: List) -> Result<(), Failure> {
    let mut plugins: Vec<Value> = client(&asking)?.get("/v1/plugins").await?;
    if let Some(name) = &name {
        let names: Vec<&str> = plugins.iter().filter_map(|plugin| plugin["name"].as_str()).collect();
        if !names.contains(&name.as_str()) {
            return Err(running::unknown(name, &names).into());
        }
        plugins.retain(|plugin| plugin["name"] == name.as_str());
    }
    plugins.retain(|plugin| state.is_none_or(|state| is_in(plugin, state)));
    // Whoever asks for one or for a state gets a row for each.
    show(&plugins, name.is_some() || state.is_some(), asking.json)
}

pub(crate) async fn reload(asking: &Asking) -> Result<(), Failure> {
    let plugins: Vec<Value> = client(asking)?.post("/v1/plugins/reload").await?;
    show(&plugins, false, asking.json)
}

fn is_in(plugin: &Value, state: ListedState) -> bool {
    let is = |state: &str| plugin["state"] == state;
    match state {
        ListedState::Active => is("active"),
        ListedState::Available => is("available"),
        ListedState::Draining => is("draining"),
        ListedState::Quarantined => is("quarantined"),
        ListedState::Waiting => {
            !plugin["candidate"].is_null() || uses(plugin).iter().any(Use::waits_for_promotion)
        }
        ListedState::Faulty => !plugin["error"].is_null(),
    }
}

fn show(plugins: &[Value], all: bool, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return Ok(print::json(&plugins)?);
    }
    let is_idle = |plugin: &&Value| !all && plugin["state"] == "available" && plugin["error"].is_null();
    let (idle, shown): (Vec<&Value>, Vec<&Value>) = plugins.iter().partition(is_idle);
    let mut table = print::table(&["name", "origin", "state", "version", "digest", "file size", "title"]);
    for plugin in &shown {
        table.add_row(row(plugin));
    }
    print::show_fitted(&mut table, &[5, 1]);
    if !idle.is_empty() {
        let names: Vec<&str> = idle.iter().filter_map(|plugin| plugin["name"].as_str()).collect();
        print::line(format_args!("built in and not used by a destination: {}", names.join(", ")));
    }
    shown.iter().for_each(|plugin| explain(plugin));
    Ok(())
}

fn row(plugin: &Value) -> Vec<Cell> {
    let text = |key: &str| plugin[key].as_str().unwrap_or_default().to_owned();
    let digest: String = text("digest").chars().take(12).collect();
    // The path is as long as the operator's folders: `--json` has it.
    let origin = if plugin["origin"] == "builtin" { "built in" } else { "file" };
    vec![
        print::cell(text("name")),
        print::cell(origin),
        state(plugin),
        print::cell(text("version")),
        print::cell(digest),
        print::cell(plugin["size_bytes"].as_u64().map(print::size).unwrap_or_default()),
        print::cell(text("title")),
    ]
}

/// What is wrong, what waits, and what to do, below the table: too long for a column.
fn explain(plugin: &Value) {
    let name = plugin["name"].as_str().unwrap_or_default();
    if let Some(error) = plugin["error"].as_str() {
        print::line(format_args!("\n{name}: {}", error));
    }
    if let Some(version) = plugin["candidate"]["version"].as_str() {
        print::line(format_args!(
            "\n{name}: version {version} passed every check and waits\n  \
             hint: `siemaphore plugin diff` compares it, `siemaphore plugin promote {name}` uses it"
        ));
    }
    for told in uses(plugin).iter().filter_map(Use::told) {
        print::line(format_args!("\n{name}: {}\n  hint: {}", told.text, told.hint));
    }
}

fn uses(plugin: &Value) -> Vec<Use> {
    Vec::deserialize(&plugin["destinations"]).unwrap_or_default()
}

/// While a version is new, the one before it returns by itself.
fn state(plugin: &Value) -> Cell {
    let state = plugin["state"].as_str().unwrap_or_default();
    let waits = uses(plugin).iter().any(Use::waits_for_promotion);
    let more = match plugin["is_new"] == true {
        _ if waits => ", waits",
        true => ", new",
        false => "",
    };
    let cell = print::cell(format!("{state}{more}"));
    match state {
        "active" if waits => cell.fg(Color::Yellow),
        "active" => cell.fg(Color::Green),
        "available" => cell,
        _ => cell.fg(Color::Red),
    }
}

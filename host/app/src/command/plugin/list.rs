//! The table of `siemaphore plugin list`.

#![allow(clippy::indexing_slicing, reason = "what is missing in a JSON value reads as null")]

use comfy_table::{Cell, Color};
use serde::Deserialize;
use serde_json::Value;

use crate::command::Failure;
use crate::command::adoption::Use;
use crate::print;

pub(crate) fn show(plugins: &[Value], as_json: bool) -> Result<(), Failure> {
    if as_json {
        return Ok(print::json(&plugins)?);
    }
    let mut table =
        print::table(&["name", "origin", "state", "version", "digest", "language", "size", "title"]);
    for plugin in plugins {
        let text = |key: &str| plugin[key].as_str().unwrap_or_default().to_owned();
        let digest: String = text("digest").chars().take(12).collect();
        table.add_row(vec![
            print::cell(text("name")),
            print::cell(text("origin")),
            state(&text("state"), plugin["is_new"] == true),
            print::cell(text("version")),
            print::cell(digest),
            print::cell(text("language")),
            print::cell(plugin["size_bytes"].as_u64().map(print::size).unwrap_or_default()),
            print::cell(text("title")),
        ]);
    }
    print::show_fitted(&mut table, &[6, 1, 5]);
    for plugin in plugins {
        let name = plugin["name"].as_str().unwrap_or_default();
        if let Some(error) = plugin["error"].as_str() {
            print::line(format_args!("\n{name}: {error}"));
        }
        if let Some(version) = plugin["candidate"]["version"].as_str() {
            print::line(format_args!(
                "\n{name}: version {version} passed every check and waits; `siemaphore plugin diff` compares it, `siemaphore plugin promote {name}` uses it"
            ));
        }
        for told in uses(plugin).iter().filter_map(Use::told) {
            print::line(format_args!("\n{name}: {}\n  hint: {}", told.text, told.hint));
        }
    }
    Ok(())
}

fn uses(plugin: &Value) -> Vec<Use> {
    Vec::deserialize(&plugin["destinations"]).unwrap_or_default()
}

/// While a version is new, the one before it returns by itself.
fn state(state: &str, is_new: bool) -> Cell {
    let cell = print::cell(if is_new { format!("{state}, new") } else { state.to_owned() });
    match state {
        "active" => cell.fg(Color::Green),
        "available" => cell,
        _ => cell.fg(Color::Red),
    }
}

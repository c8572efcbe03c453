//! What goes to the terminal: the only place that writes to standard output and standard error.

use std::io::{IsTerminal, Write};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use crate::config::Problem;

/// A line of the answer that was asked for.
#[expect(clippy::print_stdout, reason = "this is the one place for it")]
pub(crate) fn line(text: impl std::fmt::Display) {
    println!("{text}");
}

/// A line for the person beside the answer: progress, warnings, errors.
#[expect(clippy::print_stderr, reason = "this is the one place for it")]
pub(crate) fn aside(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

pub(crate) fn json(value: &impl Serialize) -> Result<(), serde_json::Error> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Bytes as they are, without a line end of ours.
pub(crate) fn bytes(bytes: &[u8]) -> std::io::Result<()> {
    std::io::stdout().write_all(bytes)
}

pub(crate) fn error(error: &anyhow::Error) {
    aside(format_args!("error: {error:#}"));
}

pub(crate) fn problems(file: &str, problems: &[Problem]) {
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        more => format!("{more} problems"),
    };
    aside(format_args!("error: {file} has {count}"));
    for problem in problems {
        aside(format_args!("\n  {problem}"));
    }
}

/// A table as wide as the terminal; unlimited where there is none.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(header);
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}

/// `12.3 MB`, in steps of a thousand.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let unit = UNITS.get(unit).copied().unwrap_or_default();
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// How long ago something was, in the largest unit: `3 min`.
pub(crate) fn ago(now_ms: u64, then_ms: u64) -> String {
    let seconds = now_ms.saturating_sub(then_ms) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

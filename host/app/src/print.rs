//! What goes to the terminal: the only place that writes to standard output and standard error.

use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table};
use serde::Serialize;

use crate::config::Problem;

/// A line of the answer that was asked for.
pub(crate) fn line(text: impl std::fmt::Display) {
    answer(format!("{}\n", visible(&text.to_string())).as_bytes());
}

/// A line for the person beside the answer: progress, warnings, errors. Nobody may be there to read it.
pub(crate) fn aside(text: impl std::fmt::Display) {
    writeln!(std::io::stderr(), "{}", visible(&text.to_string())).ok();
}

/// Whoever reads may have seen enough, as `head` has after some lines: that ends the command, and is no error.
fn answer(bytes: &[u8]) {
    let mut stdout = std::io::stdout();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            aside(format_args!("error: cannot write the answer: {error}"));
            std::process::exit(1);
        }
    }
}

/// A question for the person, without a line end.
pub(crate) fn ask(question: &str) -> std::io::Result<()> {
    let mut stderr = std::io::stderr();
    stderr.write_all(question.as_bytes())?;
    stderr.flush()
}

/// A table, whose cells have been made with [`cell`].
pub(crate) fn show(table: &Table) {
    answer(format!("{table}\n").as_bytes());
}

/// A table that leaves columns out where the terminal is too narrow, by their numbers: first the first of
/// `expendable`. Words broken in two are harder to read than a column less.
pub(crate) fn show_fitted(table: &mut Table, expendable: &[usize]) {
    let Some(room) = table.width().filter(|_| std::io::stdout().is_terminal()) else { return show(table) };
    let mut widths: Vec<usize> = table.column_max_content_widths().into_iter().map(usize::from).collect();
    for column in expendable {
        if table_width(&widths) <= usize::from(room) {
            break;
        }
        if let (Some(width), Some(column)) = (widths.get_mut(*column), table.column_mut(*column)) {
            *width = 0;
            column.set_constraint(ColumnConstraint::Hidden);
        }
    }
    show(table);
}

/// With two blanks and a line at each column, and a line at the end.
fn table_width(content_widths: &[usize]) -> usize {
    1 + content_widths.iter().filter(|width| **width > 0).map(|width| width + 3).sum::<usize>()
}

/// A cell of a table.
pub(crate) fn cell(text: impl std::fmt::Display) -> Cell {
    Cell::new(visible(&text.to_string()))
}

/// The text without what a terminal obeys instead of showing: escape sequences, and marks that turn the direction of
/// writing. Much of what is printed was written by strangers.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |character, shown| shown.extend(character.escape_default()))
}

fn escaped(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    let obeyed = |character: char| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if obeyed(character) {
            escape(character, &mut shown);
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

pub(crate) fn json(value: &impl Serialize) -> Result<(), serde_json::Error> {
    answer(format!("{}\n", visible_json(&serde_json::to_string_pretty(value)?)).as_bytes());
    Ok(())
}

/// What a terminal obeys can stand only inside JSON's texts, and there it is escaped as JSON does.
fn visible_json(json: &str) -> Cow<'_, str> {
    escaped(json, |character, shown| shown.push_str(&format!("\\u{:04x}", u32::from(character))))
}

/// Bytes as they are, without a line end of ours.
pub(crate) fn bytes(bytes: &[u8]) {
    answer(bytes);
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

/// `1 event`, `2 events`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// `12.3 MiB`, in steps of 1024, as sizes are written in the configuration.
pub(crate) fn size(bytes: u64) -> String {
    bytesize::ByteSize(bytes).to_string()
}

/// A moment in UTC, to the second: `2026-11-21T06:00:00Z`.
pub(crate) fn time(at_ms: u64) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::from_millis(at_ms)).unwrap_or(UNIX_EPOCH);
    humantime::format_rfc3339_seconds(at).to_string()
}

pub(crate) fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// How long ago something was, in the largest unit: `3 min`.
pub(crate) fn ago(now_ms: u64, then_ms: u64) -> String {
    span(now_ms.saturating_sub(then_ms) / 1000)
}

/// When something will be: `now`, `in 3 min`.
pub(crate) fn until(now_ms: u64, then_ms: u64) -> String {
    match then_ms.saturating_sub(now_ms).div_ceil(1000) {
        0 => "now".to_owned(),
        seconds => format!("in {}", span(seconds)),
    }
}

fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(visible("plain ünï\n text"), "plain ünï\n text");
        assert_eq!(visible("a\u{1b}[31mb\u{7}\u{202e}\u{9b}"), "a\\u{1b}[31mb\\u{7}\\u{202e}\\u{9b}");
    }

    #[test]
    fn json_stays_json_and_says_the_same() {
        let text = "del\u{7f}, csi \u{9b}2J, turned \u{202e}txt, ünï 😀\n\u{1b}";
        let json = serde_json::to_string_pretty(&serde_json::json!({ "text": text })).unwrap();
        let shown = visible_json(&json);
        assert!(shown.contains("del\\u007f, csi \\u009b2J, turned \\u202etxt, ünï 😀\\n"), "{shown}");
        let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(read["text"], text);
    }

    #[test]
    fn sizes_and_ages_are_short() {
        assert_eq!(
            [size(0), size(1_000), size(1_024), size(12_345_678)],
            ["0 B", "1000 B", "1.0 KiB", "11.8 MiB"]
        );
        assert_eq!([until(5, 5), until(5, 6), until(0, 60_000)], ["now", "in 1 s", "in 1 min"]);
        assert_eq!([ago(59_000, 0), ago(3_600_000, 0), ago(200_000_000, 0)], ["59 s", "1 h", "2 d"]);
    }
}

//! Reading the file as TOML of the right shape. The parser's words are for programmers: here they become the key, what is
//! wrong with it and what to write instead.
//!
//! What is written where it does not belong may be a secret, so no text is repeated.

use std::ops::Range;

use crate::config::file::File;
use crate::config::nearest;
use crate::config::problem::{Problem, line_and_column};

pub(crate) fn parse(text: &str) -> Result<File, Problem> {
    toml::from_str(text).map_err(|error| {
        let place = error.span().map(|span| line_and_column(text, span.start));
        let (line, column) = place.unzip();
        let (reason, hint) = explain(error.message().trim(), text, error.span().unwrap_or_default());
        Problem { line, column, reason, hint }
    })
}

fn explain(message: &str, text: &str, span: Range<usize>) -> (String, String) {
    if let Some((unknown, expected)) = unknown_key(message) {
        let hint = match nearest(unknown, &expected) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the keys here are: {}", expected.join(", ")),
        };
        return (format!("unknown key `{unknown}`"), hint);
    }
    if message.starts_with("duplicate key") {
        let key = text.get(span).unwrap_or("a key");
        return (format!("`{key}` is written twice"), "keep one of the two".to_owned());
    }
    if let Some((found, expected)) = wrong_value(message) {
        let key = key_before(text, span.start).map_or("this".to_owned(), |key| format!("`{key}`"));
        return (
            format!("{key} takes {}, not {}", plain_expectation(expected), plain_found(found)),
            HINT.into(),
        );
    }
    (message.replace('\n', "; "), HINT.to_owned())
}

const HINT: &str = "see docs/configuration.md for what each key takes";

/// serde writes: unknown field `x`, expected one of `a`, `b`
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, rest) = rest.split_once('`')?;
    Some((unknown, rest.split('`').skip(1).step_by(2).collect()))
}

/// serde writes: invalid type: integer `5`, expected a string
fn wrong_value(message: &str) -> Option<(&str, &str)> {
    let rest = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
    rest.rsplit_once(", expected ")
}

fn plain_expectation(expected: &str) -> &str {
    match expected {
        "a string" | "string" => "text in quotes",
        "a boolean" => "`true` or `false`",
        "u16" | "u32" | "u64" | "usize" => "a whole number without quotes, 0 or more",
        "a sequence" => "a list in brackets",
        "a map" => "a table",
        record if record.starts_with("struct ") => "a table",
        other => other,
    }
}

fn plain_found(found: &str) -> String {
    match found.split_once(' ') {
        Some(("integer", number)) => format!("the number {number}"),
        Some(("floating", rest)) => format!("the number {}", rest.trim_start_matches("point ")),
        Some(("string", _)) => "text".to_owned(),
        Some(("boolean", word)) => word.to_owned(),
        _ => match found {
            "sequence" => "a list".to_owned(),
            "map" => "a table".to_owned(),
            other => other.to_owned(),
        },
    }
}

/// The key whose value begins at a place, or has a part there.
fn key_before(text: &str, value: usize) -> Option<&str> {
    let line = text.get(..value)?.rsplit('\n').next()?;
    let key = match line.trim_end().strip_suffix('=') {
        Some(before) => before.rsplit(['{', ',']).next()?,
        None => line.split_once('=')?.0,
    };
    Some(key.trim()).filter(|key| !key.is_empty())
}

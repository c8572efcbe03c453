//! What is wrong with a configuration file: where, why, and what to write instead.

use std::fmt;

use serde::Serialize;
use toml::de::{DeTable, DeValue};

/// One step into a document: `destination`, `2`, `endpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Step {
        Step::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Step {
        Step::Index(index)
    }
}

/// The way to a value. `at!["destination", 2, "endpoint"]`
pub(crate) type Path = Vec<Step>;

macro_rules! at {
    ($($step:expr),* $(,)?) => { vec![$($crate::config::problem::Step::from($step)),*] };
}
pub(crate) use at;

/// A JSON Pointer as steps: `/fields/0`.
pub(crate) fn steps(pointer: &str) -> Path {
    let tokens = pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"));
    let step = |token: String| match token.parse::<usize>() {
        Ok(index) => index.into(),
        Err(_) => token.as_str().into(),
    };
    tokens.map(step).collect()
}

/// Something to mend before the host can start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// From 1; absent when the problem is not in the file.
    pub(crate) line: Option<usize>,
    pub(crate) column: Option<usize>,
    pub(crate) reason: String,
    pub(crate) hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(formatter, "line {line}, column {column}: ")?;
        }
        write!(formatter, "{}\n    fix: {}", self.reason, self.hint)
    }
}

/// The text of a configuration file and the place of every value in it.
pub(crate) struct Document<'a> {
    text: &'a str,
    table: DeTable<'a>,
}

impl<'a> Document<'a> {
    /// Reads as much as is TOML; what is not has been reported by the typed parse already.
    pub(crate) fn new(text: &'a str) -> Document<'a> {
        let (table, _) = DeTable::parse_recoverable(text);
        Document { text, table: table.into_inner() }
    }

    /// A problem with the value at `path`, or with the nearest one around it that is written down.
    pub(crate) fn problem(
        &self,
        path: &[Step],
        reason: impl Into<String>,
        hint: impl Into<String>,
    ) -> Problem {
        let (line, column) = match self.locate(path) {
            Some(offset) => Some(line_and_column(self.text, offset)).unzip(),
            None => (None, None),
        };
        Problem { line, column, reason: reason.into(), hint: hint.into() }
    }

    fn locate(&self, path: &[Step]) -> Option<usize> {
        let (Step::Key(first), rest) = path.split_first()? else { return None };
        let (key, value) = self.table.iter().find(|(key, _)| key.get_ref() == first)?;
        let mut place = key.span().start;
        let mut value = value.get_ref();
        for step in rest {
            let next = match (step, value) {
                (Step::Key(wanted), DeValue::Table(table)) => table
                    .iter()
                    .find(|(key, _)| key.get_ref() == wanted)
                    .map(|(key, value)| (key.span(), value)),
                (Step::Index(index), DeValue::Array(array)) => {
                    array.get(*index).map(|value| (value.span(), value))
                }
                _ => None,
            };
            let Some((span, inner)) = next else { break };
            place = span.start;
            value = inner.get_ref();
        }
        Some(place)
    }
}

/// Both from 1; the column counts characters.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_path_and_a_missing_one_by_what_surrounds_it() {
        let text =
            "state = 'x'\n\n[[destination]]\nname = 'a'\n\n[[destination]]\nname = 'b'\n  endpoint = 'c'\n";
        let document = Document::new(text);
        let place = |path: Path| {
            let problem = document.problem(&path, "", "");
            (problem.line.unwrap_or(0), problem.column.unwrap_or(0))
        };
        assert_eq!(place(at!["destination", 1, "endpoint"]), (8, 3));
        assert_eq!(place(at!["destination", 0, "secret"]), (3, 1));
        assert_eq!(place(at!["intake", "listen"]), (0, 0));
    }
}

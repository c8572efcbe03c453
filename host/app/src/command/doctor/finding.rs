//! What one check found.

use comfy_table::{Color, Table};
use serde::Serialize;

use crate::command::reason_and_hint;
use crate::print;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Ok,
    /// Works now, and needs somebody's eye.
    Warning,
    /// Something does not work until it is mended.
    Failed,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Finding {
    pub(crate) check: String,
    pub(crate) state: State,
    pub(crate) finding: String,
    /// What to do; none where nothing has to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<String>,
}

impl Finding {
    pub(crate) fn ok(check: impl Into<String>, finding: impl Into<String>) -> Finding {
        Finding { check: check.into(), state: State::Ok, finding: finding.into(), fix: None }
    }

    pub(crate) fn warning(
        check: impl Into<String>,
        finding: impl Into<String>,
        fix: impl Into<String>,
    ) -> Finding {
        Finding { state: State::Warning, fix: Some(fix.into()), ..Finding::ok(check, finding) }
    }

    pub(crate) fn failed(
        check: impl Into<String>,
        finding: impl Into<String>,
        fix: impl Into<String>,
    ) -> Finding {
        Finding { state: State::Failed, fix: Some(fix.into()), ..Finding::ok(check, finding) }
    }

    /// From an error of a command, whose hint stands in a line of its own.
    pub(crate) fn error(check: impl Into<String>, error: &anyhow::Error, fix: &str) -> Finding {
        let (finding, hint) = reason_and_hint(error);
        Finding::failed(check, finding, hint.unwrap_or_else(|| fix.to_owned()))
    }
}

/// The fix stands below its finding: both are sentences, and a terminal has room for one column of them.
pub(crate) fn table(findings: &[Finding]) -> Table {
    let mut table = print::table(&["check", "state", "finding and fix"]);
    for Finding { check, state, finding, fix } in findings {
        let text = match fix {
            Some(fix) => format!("{finding}\nfix: {fix}"),
            None => finding.clone(),
        };
        let (word, color) = match state {
            State::Ok => ("ok", Color::Green),
            State::Warning => ("warning", Color::Yellow),
            State::Failed => ("failed", Color::Red),
        };
        table.add_row(vec![print::cell(check), print::cell(word).fg(color), print::cell(text)]);
    }
    table
}

pub(crate) fn summary(findings: &[Finding]) -> String {
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    match (count(State::Failed), count(State::Warning)) {
        (0, 0) => "everything is fine".to_owned(),
        (0, warnings) => format!("nothing has failed; warnings: {warnings}"),
        (failed, warnings) => format!("failed: {failed}; warnings: {warnings}"),
    }
}

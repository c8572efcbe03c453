//! The verbs of the command line, a file each.

mod adoption;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod content;
pub(crate) mod dead_letters;
pub(crate) mod destination;
mod destination_name;
pub(crate) mod doctor;
pub(crate) mod export;
mod exported;
pub(crate) mod ledger;
mod output;
pub(crate) mod plugin;
pub(crate) mod profile;
mod progress;
pub(crate) mod quickstart;
mod reading;
pub(crate) mod run;
pub(crate) mod send;
pub(crate) mod source;

use std::process::ExitCode;

use serde_json::json;

use crate::config::Problem;
use crate::print;

/// A path of the host's API; what a person typed is encoded.
pub(crate) fn api_path(segments: &[&str]) -> String {
    let Ok(mut url) = url::Url::parse("http://siemaphore/v1") else { return String::new() };
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(segments);
    }
    url.path().to_owned()
}

/// Of an error whose hint stands in a line of its own.
pub(crate) fn reason_and_hint(error: &anyhow::Error) -> (String, Option<String>) {
    let text = format!("{error:#}");
    match text.split_once("\n  hint: ") {
        Some((reason, hint)) => (reason.to_owned(), Some(hint.to_owned())),
        None => (text, None),
    }
}

/// How a command ends when it does not succeed. The exit codes are part of the interface.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The configuration has to be mended: exit code 2.
    Configuration { file: String, problems: Vec<Problem> },
    /// Everything has been said already: exit code 1.
    Said,
    /// Exit code 1.
    Other(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Other(error.into())
    }
}

impl Failure {
    /// For a command whose answer is JSON: the error takes the answer's place, in the shape of the host's API.
    pub(crate) fn answered(self, as_json: bool) -> Failure {
        match self {
            Failure::Other(error) if as_json => {
                let (reason, hint) = reason_and_hint(&error);
                match print::json(&json!({ "error": { "reason": reason, "hint": hint } })) {
                    Ok(()) => Failure::Said,
                    Err(error) => error.into(),
                }
            }
            // Whoever mends the file reads it line by line, beside that. Without problems they have been answered already.
            Failure::Configuration { file, problems } if as_json && !problems.is_empty() => {
                let reason = format!("{file} cannot be used");
                let answer = json!({ "error": { "reason": reason, "hint": null }, "problems": &problems });
                match print::json(&answer) {
                    Ok(()) => Failure::Configuration { file, problems },
                    Err(error) => error.into(),
                }
            }
            other => other,
        }
    }

    pub(crate) fn report(self) -> ExitCode {
        match self {
            Failure::Configuration { file, problems } => {
                print::problems(&file, &problems);
                ExitCode::from(2)
            }
            Failure::Said => ExitCode::FAILURE,
            Failure::Other(error) => {
                print::error(&error);
                ExitCode::FAILURE
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_typed_stays_one_segment_of_a_path() {
        assert_eq!(api_path(&["plugins", "x y/../z", "promote"]), "/v1/plugins/x%20y%2F..%2Fz/promote");
    }
}

//! The verbs of the command line, a file each.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod dead_letters;
pub(crate) mod destination;
pub(crate) mod plugin;
pub(crate) mod quickstart;
pub(crate) mod run;
pub(crate) mod send;

use std::process::ExitCode;

use crate::config::Problem;
use crate::print;

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

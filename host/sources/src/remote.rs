//! What all sources that ask a server have in common: how it is reached, and what its refusals mean.

use std::sync::Arc;
use std::time::Duration;

use siemaphore_delivery::{Answer, AttemptError, Fetch, FetchConfig, TargetError};
use siemaphore_secrets::Secrets;

use crate::progress::{Means, Stopped};
use crate::retry;

/// Why events do not come just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) problem: String,
    pub(crate) hint: String,
    pub(crate) remedy: Remedy,
}

/// What helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Asking again, not before the server wants us.
    Time { asked: Option<Duration> },
    /// Somebody who changes something.
    Operator,
    /// Nothing: the server has said that it is over.
    Nothing,
}

impl Trouble {
    pub(crate) fn passing(problem: String, hint: &str) -> Trouble {
        Trouble { problem, hint: hint.to_owned(), remedy: Remedy::Time { asked: None } }
    }

    pub(crate) fn held(problem: String, hint: &str) -> Trouble {
        Trouble { problem, hint: hint.to_owned(), remedy: Remedy::Operator }
    }

    /// What an answer means that brings no events.
    pub(crate) fn of_status(host: &str, head: &Answer, asked: Option<Duration>) -> Trouble {
        let problem = format!("{host} answered {}", head.status);
        let passing = Remedy::Time { asked };
        let (hint, remedy) = match head.status {
            401 => (
                "check `secret` and `authentication`; a corrected secret is read by itself",
                Remedy::Operator,
            ),
            403 => {
                ("the credential has no right to read this: give it one, or use another", Remedy::Operator)
            }
            404 | 410 => ("check the path of `url`", Remedy::Operator),
            300..=399 => ("redirects are not followed: write the URL that it leads to", Remedy::Operator),
            408 | 425 | 429 | 500.. => ("it is asked again by itself", passing),
            _ => (
                "compare `url` and the settings of this source with the producer's documentation",
                Remedy::Operator,
            ),
        };
        Trouble { problem, hint: hint.to_owned(), remedy }
    }
}

impl From<AttemptError> for Trouble {
    fn from(error: AttemptError) -> Trouble {
        let remedy = match error.needs_operator {
            true => Remedy::Operator,
            false => Remedy::Time { asked: error.retry_after },
        };
        Trouble { problem: error.reason, hint: error.hint, remedy }
    }
}

/// Whether a source can be made of this; nothing is asked.
pub fn check(config: &FetchConfig, secrets: &Arc<Secrets>) -> Result<(), TargetError> {
    Fetch::new(config.clone(), Arc::clone(secrets)).map(|_| ())
}

/// What was possible when the host started may not be any more: a certificate file is read again.
pub(crate) async fn connect(config: &FetchConfig, means: &Means) -> Result<Fetch, Stopped> {
    loop {
        match Fetch::new(config.clone(), Arc::clone(&means.secrets)) {
            Ok(fetch) => return Ok(fetch),
            Err(error) => means.status.problem(&error.to_string(), error.hint()),
        }
        means.pause(retry::HELD).await?;
    }
}

/// A text of the server, fit for a line of the log.
pub(crate) fn shown(text: &[u8]) -> String {
    const SHOWN: usize = 80;
    let text = String::from_utf8_lossy(text);
    let cut: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().count() > SHOWN { format!("{cut}…") } else { cut }
}

/// A media type without its parameters, in lowercase.
pub(crate) fn media_type(head: &Answer) -> String {
    let written = head.header("content-type").unwrap_or_default();
    written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

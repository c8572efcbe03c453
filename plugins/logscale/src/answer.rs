//! What LogScale's answers mean.
//!
//! Their bodies follow Splunk's loosely and only the statuses are documented, so the status decides. A success is not
//! believed when a page for people or a code of failure comes with it.

use serde::Deserialize;
use siemaphore_sdk::{Response, Verdict};

/// What stands in for HEC's own answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    code: u32,
}

pub(crate) fn interpret(response: &Response) -> Verdict {
    let reason = response.reason();
    match response.status {
        200..300 if response.is_web_page() => Verdict::hold(
            format!("{reason} with a page for people"),
            "something else answers: use the ingest address that the page of the token or connector shows, not that of the \
             console",
        ),
        200..300 if answer(response).code != 0 => {
            Verdict::hold(reason, "the events may not be stored: look at the token and its parser")
        }
        200..300 => Verdict::Delivered(None),
        400 => Verdict::rejected(reason, "LogScale could not read the events"),
        401 => Verdict::hold(
            reason,
            "give this destination the ingest token of the repository, or the API key that was shown once when the connector \
             was made, without the word Bearer; generate it again when it is lost",
        ),
        403 => Verdict::hold(
            reason,
            "the token may not write here: it belongs to another repository, cloud or connector, or the connector is disabled",
        ),
        404 | 405 => Verdict::hold(
            reason,
            "give the host of the URL that the connector shows, and its path in the setting `path`; no /event and no /raw",
        ),
        413 => Verdict::Split,
        _ => Verdict::Standard,
    }
}

fn answer(response: &Response) -> Answer {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

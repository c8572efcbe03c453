//! What to do with a batch after an answer: the formatter's verdict, where it can be true, else the status.

use std::time::Duration;

use siemaphore_model::formatter::{Note, Partial, Pending, Refusal, Run, Verdict};

use crate::clean::Answer;
use crate::hint;
use crate::retry::{self, MAX_RETRY_AFTER};
use crate::standard::{Standing, standard};
use crate::verdict::{self, Lie};

/// How much of an answer's body is quoted in a reason.
const MAX_EXCERPT_CHARS: usize = 200;

/// What becomes of the records of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// All have arrived.
    Delivered { note: Option<Note> },
    /// Each has its own fate: the runs cover every record, in order and without gaps.
    Partial { fates: Vec<Run>, note: Option<Note> },
    /// Send all of it again, after the wait that was asked for or else after the backoff.
    Retry { after: Option<Duration>, reason: String, hint: String },
    /// Too large: send it in halves.
    Split { reason: String, hint: String },
    /// Keep everything, tell the operator, try again slowly.
    Hold { reason: String, hint: String },
    /// Never to be taken like this. More than one record: find the culprit by halving.
    Rejected { reason: String, hint: String },
    /// `lost` of the records are gone, and nobody knows which.
    Uncertain { lost: u32, reason: String },
    /// Ask again later.
    Pending(Pending),
}

/// Decides. A verdict that cannot be true counts as `standard`, and the reason or note says so. The words of a verdict
/// are cleaned of the secrets of the request like the answer itself.
///
/// - `delivered` and `pending` are believed on a 2xx only.
/// - `partial` is believed on any status (Splunk's 400 names the first bad event of a batch whose beginning it has
///   indexed), unless it says of a failure that every record has arrived, or its runs make no sense.
pub fn classify(answer: &Answer, verdict: Verdict, records: u32) -> Decision {
    let success = standard(answer.status) == Standing::Delivered;
    let hint = || hint::for_status(answer.status).to_owned();
    match verdict::in_plain_words(verdict, &answer.cleaner) {
        Verdict::Standard => by_status(answer),
        Verdict::Delivered(note) if success => Decision::Delivered { note: note.map(verdict::note) },
        Verdict::Delivered(_) => disbelieved(answer, &Lie::DeliveredOnFailure),
        Verdict::Partial(partial) => {
            by_record(&partial, success, records).unwrap_or_else(|lie| disbelieved(answer, &lie))
        }
        Verdict::Retry { after_ms, reason } => Decision::Retry {
            after: after_ms.map(verdict::wait).or_else(|| retry::retry_after(answer)),
            reason: or_status(reason, answer),
            hint: hint(),
        },
        Verdict::Split => {
            Decision::Split { reason: status_reason(answer), hint: hint::for_status(413).to_owned() }
        }
        Verdict::Hold(Refusal { reason, hint: words }) => {
            Decision::Hold { reason: or_status(reason, answer), hint: or(words, hint) }
        }
        Verdict::Rejected(Refusal { reason, hint: words }) => {
            Decision::Rejected { reason: or_status(reason, answer), hint: or(words, hint) }
        }
        Verdict::Uncertain { lost: 0, .. } => by_status(answer),
        Verdict::Uncertain { lost, reason } => {
            Decision::Uncertain { lost: lost.min(records), reason: or_status(reason, answer) }
        }
        Verdict::Pending(pending) if success => {
            let longest = MAX_RETRY_AFTER.as_millis() as u64;
            Decision::Pending(Pending { after_ms: pending.after_ms.min(longest), ..pending })
        }
        Verdict::Pending(_) => disbelieved(answer, &Lie::PendingOnFailure),
    }
}

/// By the status alone, but for a success that is a page for people: no SIEM's API answers one, a proxy's login page
/// does, and everything that was sent to it would be lost.
fn by_status(answer: &Answer) -> Decision {
    let (reason, hint) = (status_reason(answer), hint::for_status(answer.status).to_owned());
    match standard(answer.status) {
        Standing::Delivered if is_web_page(&answer.body) => Decision::Hold {
            reason: format!("the answer {} is a web page, not a SIEM's", answer.status),
            hint: hint::WEB_PAGE.to_owned(),
        },
        Standing::Delivered => Decision::Delivered { note: None },
        Standing::Retry => Decision::Retry { after: retry::retry_after(answer), reason, hint },
        Standing::Split => Decision::Split { reason, hint },
        Standing::Hold => Decision::Hold { reason, hint },
        Standing::Rejected => Decision::Rejected { reason, hint },
    }
}

fn is_web_page(body: &[u8]) -> bool {
    let body = body.trim_ascii_start();
    ["<!doctype html", "<html"].iter().any(|beginning| {
        body.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning.as_bytes()))
    })
}

fn by_record(partial: &Partial, success: bool, records: u32) -> Result<Decision, Lie> {
    let fates = verdict::fates(partial, records)?;
    let note = partial.note.clone().map(verdict::note);
    match (fates.iter().all(|run| verdict::has_arrived(&run.fate)), success) {
        // Duplicates are counted apart, so that only a batch of new ones is simply delivered.
        (true, true) if fates.iter().all(|run| run.fate == siemaphore_model::formatter::Fate::Delivered) => {
            Ok(Decision::Delivered { note })
        }
        (true, false) => Err(Lie::DeliveredOnFailure),
        _ => Ok(Decision::Partial { fates, note }),
    }
}

/// The status decides, and whoever looks learns why the formatter did not.
fn disbelieved(answer: &Answer, lie: &Lie) -> Decision {
    let words = format!("the formatter's verdict on this {} is not believed: {lie}", answer.status);
    match by_status(answer) {
        Decision::Delivered { .. } => {
            let hint = "report this to the formatter's author".to_owned();
            Decision::Delivered { note: Some(Note { reason: words, hint, pause_ms: None }) }
        }
        Decision::Retry { after, reason, hint } => {
            Decision::Retry { after, reason: format!("{reason}; {words}"), hint }
        }
        Decision::Hold { reason, hint } => Decision::Hold { reason: format!("{reason}; {words}"), hint },
        Decision::Rejected { reason, hint } => {
            Decision::Rejected { reason: format!("{reason}; {words}"), hint }
        }
        other => other,
    }
}

/// What was answered, with the beginning of the body: it often says what no table knows.
fn status_reason(answer: &Answer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    let excerpt: String = body
        .split_whitespace()
        .flat_map(|word| [" ", word])
        .flat_map(str::chars)
        .filter(|c| !c.is_control())
        .take(MAX_EXCERPT_CHARS)
        .collect();
    match excerpt.trim() {
        "" => format!("the SIEM answered {}", answer.status),
        excerpt => format!("the SIEM answered {}: {excerpt}", answer.status),
    }
}

fn or_status(reason: String, answer: &Answer) -> String {
    or(reason, || status_reason(answer))
}

fn or(text: String, other: impl FnOnce() -> String) -> String {
    if text.trim().is_empty() { other() } else { text }
}

#[cfg(test)]
mod tests;

//! What a guest is shown of an answer, and how far what it says about it is believed.

use std::time::Duration;

use siemaphore_model::formatter::{Fate, Note, Partial, Phase, Refusal, Response, Run, Verdict};
use thiserror::Error;

use crate::clean::{Answer, Cleaner};
use crate::retry::MAX_RETRY_AFTER;

/// The longest text of a plugin that is passed on.
const MAX_TEXT_BYTES: usize = 1024;

/// The answer to the request with the records, as a formatter interprets it. Cookies are left out: they are the
/// host's business.
pub fn response_for_guest(answer: &Answer, records: u32, body_bytes: u32) -> Response {
    Response {
        phase: Phase::First,
        state: Vec::new(),
        status: answer.status,
        headers: answer.headers.iter().filter(|(name, _)| name != "set-cookie").cloned().collect(),
        body: answer.body.to_vec(),
        truncated: answer.truncated,
        records,
        body_bytes,
    }
}

/// The answer to a follow-up, with the state that the `pending` verdict left.
pub fn follow_up_response_for_guest(
    answer: &Answer,
    state: Vec<u8>,
    records: u32,
    body_bytes: u32,
) -> Response {
    Response { phase: Phase::FollowUp, state, ..response_for_guest(answer, records, body_bytes) }
}

/// What makes a verdict one that cannot be true.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Lie {
    #[error("it says that all is delivered")]
    DeliveredOnFailure,
    #[error("it asks to wait for a confirmation")]
    PendingOnFailure,
    #[error("run {0} is empty")]
    EmptyRun(usize),
    #[error("run {0} begins before the end of the one before it")]
    Overlap(usize),
    #[error("run {run} reaches beyond the {records} records")]
    BeyondEnd { run: usize, records: u32 },
}

/// The fate of every record of a batch, without gaps and with neighbours of one fate in one run.
pub(crate) fn fates(partial: &Partial, records: u32) -> Result<Vec<Run>, Lie> {
    let mut fates = Vec::new();
    let mut next = 0;
    for (number, run) in partial.runs.iter().enumerate() {
        let end = run.first.checked_add(run.count).filter(|end| *end <= records);
        let Some(end) = end else { return Err(Lie::BeyondEnd { run: number, records }) };
        if run.count == 0 {
            return Err(Lie::EmptyRun(number));
        }
        if run.first < next {
            return Err(Lie::Overlap(number));
        }
        push(&mut fates, run.first - next, &partial.rest);
        push(&mut fates, run.count, &run.fate);
        next = end;
    }
    push(&mut fates, records.saturating_sub(next), &partial.rest);
    Ok(fates)
}

fn push(fates: &mut Vec<Run>, count: u32, fate: &Fate) {
    if count == 0 {
        return;
    }
    match fates.last_mut() {
        Some(last) if last.fate == *fate => last.count += count,
        last => {
            let first = last.map_or(0, |last| last.first + last.count);
            fates.push(Run { first, count, fate: fate.clone() });
        }
    }
}

pub(crate) fn has_arrived(fate: &Fate) -> bool {
    matches!(fate, Fate::Delivered | Fate::Duplicate)
}

/// The verdict with all its words as people may see them. What a `pending` verdict holds is for the SIEM alone.
pub(crate) fn in_plain_words(verdict: Verdict, cleaner: &Cleaner) -> Verdict {
    let text = |words: String| text(&words, cleaner);
    let note = |note: Note| Note { reason: text(note.reason), hint: text(note.hint), ..note };
    let refusal = |refusal: Refusal| Refusal { reason: text(refusal.reason), hint: text(refusal.hint) };
    let fate = |fate: Fate| match fate {
        Fate::Rejected(reason) => Fate::Rejected(text(reason)),
        Fate::Delivered | Fate::Duplicate | Fate::Retry => fate,
    };
    match verdict {
        Verdict::Delivered(words) => Verdict::Delivered(words.map(note)),
        Verdict::Partial(partial) => Verdict::Partial(Partial {
            runs: partial.runs.into_iter().map(|run| Run { fate: fate(run.fate), ..run }).collect(),
            rest: fate(partial.rest),
            note: partial.note.map(note),
        }),
        Verdict::Retry { after_ms, reason } => Verdict::Retry { after_ms, reason: text(reason) },
        Verdict::Hold(words) => Verdict::Hold(refusal(words)),
        Verdict::Rejected(words) => Verdict::Rejected(refusal(words)),
        Verdict::Uncertain { lost, reason } => Verdict::Uncertain { lost, reason: text(reason) },
        Verdict::Standard | Verdict::Split | Verdict::Pending(_) => verdict,
    }
}

/// A plugin's words, without control characters and secrets, and short. In this order: neither may a character
/// between two halves of a secret hide it, nor a cut leave half of one.
fn text(words: &str, cleaner: &Cleaner) -> String {
    let visible: String = words.chars().filter(|c| !c.is_control()).collect();
    let mut text = cleaner.text(&visible);
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    text
}

/// The note with a pause within what anybody may ask for.
pub(crate) fn note(note: Note) -> Note {
    let longest = MAX_RETRY_AFTER.as_millis() as u64;
    Note { pause_ms: note.pause_ms.map(|pause| pause.min(longest)), ..note }
}

/// A wait that a plugin asks for, within what anybody may ask for.
pub(crate) fn wait(after_ms: u64) -> Duration {
    Duration::from_millis(after_ms).min(MAX_RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use siemaphore_secrets::Secret;

    use super::*;
    use crate::clean::tests_support::answer;

    fn run(first: u32, count: u32, fate: Fate) -> Run {
        Run { first, count, fate }
    }

    fn checked(runs: Vec<Run>, rest: Fate, records: u32) -> Result<Vec<Run>, Lie> {
        fates(&Partial { runs, rest, note: None }, records)
    }

    #[test]
    fn every_record_has_one_fate() {
        let rejected = || Fate::Rejected("bad".into());
        assert_eq!(checked(vec![], Fate::Retry, 3), Ok(vec![run(0, 3, Fate::Retry)]));
        assert_eq!(
            checked(vec![run(0, 2, Fate::Delivered), run(2, 1, rejected())], Fate::Retry, 5),
            Ok(vec![run(0, 2, Fate::Delivered), run(2, 1, rejected()), run(3, 2, Fate::Retry)])
        );
        assert_eq!(
            checked(vec![run(1, 1, rejected()), run(3, 1, rejected())], Fate::Delivered, 5),
            Ok(vec![
                run(0, 1, Fate::Delivered),
                run(1, 1, rejected()),
                run(2, 1, Fate::Delivered),
                run(3, 1, rejected()),
                run(4, 1, Fate::Delivered)
            ])
        );
        assert_eq!(checked(vec![], Fate::Delivered, 0), Ok(vec![]));
    }

    #[test]
    fn neighbouring_runs_of_one_fate_become_one() {
        let runs = vec![run(0, 1, Fate::Retry), run(1, 2, Fate::Retry)];
        assert_eq!(checked(runs, Fate::Retry, 4), Ok(vec![run(0, 4, Fate::Retry)]));
    }

    #[test]
    fn runs_that_cannot_be_are_refused() {
        let retry = |first, count| run(first, count, Fate::Retry);
        assert_eq!(checked(vec![retry(0, 0)], Fate::Delivered, 3), Err(Lie::EmptyRun(0)));
        assert_eq!(checked(vec![retry(1, 2), retry(2, 1)], Fate::Delivered, 3), Err(Lie::Overlap(1)));
        assert_eq!(checked(vec![retry(2, 1), retry(0, 1)], Fate::Delivered, 3), Err(Lie::Overlap(1)));
        assert_eq!(
            checked(vec![retry(2, 2)], Fate::Delivered, 3),
            Err(Lie::BeyondEnd { run: 0, records: 3 })
        );
        assert_eq!(
            checked(vec![retry(u32::MAX, u32::MAX)], Fate::Delivered, 3),
            Err(Lie::BeyondEnd { run: 0, records: 3 })
        );
    }

    #[test]
    fn a_guest_sees_the_cleaned_answer_without_cookies() {
        let answer = answer(200, &[("set-cookie", "node=7"), ("x-a", "1")], "{}");
        let response = response_for_guest(&answer, 3, 99);
        assert_eq!(response.headers, [("x-a".to_owned(), "1".to_owned())]);
        assert_eq!(
            (response.status, response.body.as_slice(), response.records, response.body_bytes),
            (200, &b"{}"[..], 3, 99)
        );
        let response = follow_up_response_for_guest(&answer, vec![7], 3, 99);
        assert_eq!((response.phase, response.state), (Phase::FollowUp, vec![7]));
    }

    #[test]
    fn a_plugins_words_are_short_and_plain() {
        let text = |words: &str| text(words, &Cleaner::new([]));
        assert_eq!(text("a\x1b[31mb\nc"), "a[31mbc");
        assert_eq!(text(&"ü".repeat(1000)).len(), MAX_TEXT_BYTES);
    }

    #[test]
    fn a_secret_in_a_plugins_words_is_gone_however_it_is_hidden_there() {
        let cleaner = Cleaner::new(&[Secret::new("hunter2-x")]);
        let text = |words: &str| text(words, &cleaner);
        assert_eq!(text("bad key hunter2-x"), "bad key [secret]");
        assert_eq!(text("bad key hunt\u{1}er\u{9c}2-x"), "bad key [secret]");
        let cut = "x".repeat(MAX_TEXT_BYTES - 5) + "hunter2-x";
        assert!(!text(&cut).contains("hunt"));
    }
}

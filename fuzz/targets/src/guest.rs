//! What a guest returns, before and after the sandbox has checked it: any shape that the contract's types allow.
//!
//! Promises: nothing panics; records that pass are whole, one for each event; a verdict that passes leads to a
//! decision in which every record has one fate.

use arbitrary::{Result, Unstructured};
use siemaphore_delivery::{Answer, Decision, classify};
use siemaphore_model::formatter::{
    Fate, Framing, Note, Partial, Pending, Records, Refusal, Rejection, Run, SettingProblem, Verdict,
};

use crate::answer::plain_answer;
use crate::{check, limits};

/// Any bytes: they are read as choices.
pub fn run(input: &[u8]) {
    let mut choices = Unstructured::new(input);
    // An input that ends early has said all that it had to say.
    records(&mut choices).ok();
    verdict(&mut choices).ok();
    problems(&mut choices).ok();
}

fn records(choices: &mut Unstructured<'_>) -> Result<()> {
    let events = choices.int_in_range(0..=40)?;
    let framing = if choices.arbitrary()? { Framing::Newline } else { Framing::JsonArray };
    let mut ends = Vec::new();
    let mut end = 0_u32;
    // Mostly as many as there are events, and mostly growing: else hardly anything would pass.
    for _ in 0..choices.int_in_range(0..=40).unwrap_or(events) {
        end = if choices.ratio(1, 20)? {
            choices.arbitrary()?
        } else {
            end.saturating_add(choices.int_in_range(0..=9)?)
        };
        ends.push(end);
    }
    let mut rejected = Vec::new();
    for _ in 0..choices.int_in_range(0..=5)? {
        rejected.push(Rejection { index: choices.int_in_range(0..=50)?, reason: text(choices)? });
    }
    let data = choices.bytes(choices.len().min(end as usize))?.to_vec();
    let Ok(records) = check::records(Records { data, ends, rejected }, events, &framing) else {
        return Ok(());
    };
    assert_eq!(records.iter().len(), events);
    let whole: Vec<u8> = records.iter().flatten().copied().collect();
    assert_eq!(whole, records.data, "every byte belongs to one record");
    for (index, record) in records.iter().enumerate() {
        let is_rejected = records.rejected.iter().any(|rejection| rejection.index as usize == index);
        assert_eq!(record.is_empty(), is_rejected, "event {index} has a record or a rejection");
        assert!(framing != Framing::Newline || !record.contains(&b'\n'));
    }
    records.rejected.iter().for_each(|rejection| one_line(&rejection.reason));
    Ok(())
}

fn verdict(choices: &mut Unstructured<'_>) -> Result<()> {
    let records = choices.int_in_range(0..=20)?;
    let said = any_verdict(choices)?;
    let answer = plain_answer(choices.arbitrary()?, b"");
    // What the sandbox stops never gets to delivery; delivery must not rely on that.
    decided(&answer, said.clone(), records);
    if let Ok(checked) = check::verdict(said, records) {
        decided(&answer, checked, records);
    }
    Ok(())
}

/// What must be true of a decision, whoever asked for it.
pub(crate) fn decided(answer: &Answer, verdict: Verdict, records: u32) -> Decision {
    let success = (200..300).contains(&answer.status);
    let decision = classify(answer, verdict, records);
    match &decision {
        Decision::Delivered { .. } => assert!(success, "delivered with status {}", answer.status),
        Decision::Pending(_) => assert!(success, "waiting with status {}", answer.status),
        Decision::Partial { fates, .. } => {
            let mut next = 0;
            for run in fates {
                assert_eq!(run.first, next, "a record has no fate, or two: {fates:?}");
                assert!(run.count > 0);
                next += run.count;
            }
            assert_eq!(next, records, "records without a fate: {fates:?}");
            let arrived = |run: &Run| matches!(run.fate, Fate::Delivered | Fate::Duplicate);
            assert!(
                success || records == 0 || !fates.iter().all(arrived),
                "all arrived with {}",
                answer.status
            );
        }
        Decision::Uncertain { lost, .. } => assert!(*lost <= records),
        Decision::Retry { reason, .. }
        | Decision::Hold { reason, .. }
        | Decision::Rejected { reason, .. } => {
            assert!(!reason.trim().is_empty(), "no reason");
        }
        Decision::Split { .. } => {}
    }
    decision
}

fn any_verdict(choices: &mut Unstructured<'_>) -> Result<Verdict> {
    Ok(match choices.int_in_range(0..=8)? {
        0 => Verdict::Standard,
        1 => Verdict::Delivered(if choices.arbitrary()? { Some(note(choices)?) } else { None }),
        2 | 3 => Verdict::Partial(partial(choices)?),
        4 => Verdict::Retry { after_ms: choices.arbitrary()?, reason: text(choices)? },
        5 => Verdict::Split,
        6 => Verdict::Hold(Refusal { reason: text(choices)?, hint: text(choices)? }),
        7 => Verdict::Uncertain { lost: choices.int_in_range(0..=30)?, reason: text(choices)? },
        _ => Verdict::Pending(Pending {
            after_ms: choices.arbitrary()?,
            query: vec![(text(choices)?, text(choices)?)],
            body: Vec::new(),
            state: Vec::new(),
        }),
    })
}

fn partial(choices: &mut Unstructured<'_>) -> Result<Partial> {
    let mut runs = Vec::new();
    let mut next = 0_u32;
    for _ in 0..choices.int_in_range(0..=6)? {
        let first =
            if choices.ratio(1, 10)? { choices.arbitrary()? } else { next + choices.int_in_range(0..=3)? };
        let count = if choices.ratio(1, 10)? { choices.arbitrary()? } else { choices.int_in_range(0..=5)? };
        next = first.saturating_add(count).min(1 << 20);
        runs.push(Run { first, count, fate: fate(choices)? });
    }
    let note = if choices.arbitrary()? { Some(note(choices)?) } else { None };
    Ok(Partial { runs, rest: fate(choices)?, note })
}

fn fate(choices: &mut Unstructured<'_>) -> Result<Fate> {
    Ok(match choices.int_in_range(0..=3)? {
        0 => Fate::Delivered,
        1 => Fate::Duplicate,
        2 => Fate::Retry,
        _ => Fate::Rejected(text(choices)?),
    })
}

fn note(choices: &mut Unstructured<'_>) -> Result<Note> {
    Ok(Note { reason: text(choices)?, hint: text(choices)?, pause_ms: choices.arbitrary()? })
}

fn problems(choices: &mut Unstructured<'_>) -> Result<()> {
    let problem = SettingProblem { pointer: text(choices)?, message: text(choices)? };
    for problem in check::problems(vec![problem; choices.int_in_range(0..=100)?]) {
        one_line(&problem.pointer);
        one_line(&problem.message);
    }
    Ok(())
}

fn text(choices: &mut Unstructured<'_>) -> Result<String> {
    let length = choices.int_in_range(0..=30)?;
    let length = if choices.ratio(1, 50)? { length * 100 } else { length };
    let bytes = choices.bytes(length.min(choices.len()))?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// A plugin's words as a terminal or a page may show them.
fn one_line(text: &str) {
    assert!(text.len() <= limits::MAX_TEXT_BYTES);
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

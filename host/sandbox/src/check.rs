//! What a guest returns, before anyone believes it: sizes capped, texts cleaned, promises of the contract checked.
//!
//! Pure functions over the newest types. An `Err` says which promise is broken and becomes a fault.

use siemaphore_model::formatter::{
    Description, Fate, Framing, Note, Partial, Records, Refusal, RequestProfile, SettingProblem, Verdict,
};

use crate::limits::{MAX_SCHEMA_BYTES, MAX_SMALL_JSON_BYTES};
use crate::text::{clean_json, clean_line};

/// The first problems are enough to act on.
const MAX_PROBLEMS: usize = 64;
const MAX_AUTHENTICATION_HINTS: usize = 16;

pub(crate) fn description(mut description: Description) -> Result<Description, String> {
    let capped = |name: &str, text: &mut String, limit: usize| {
        if text.len() > limit {
            return Err(format!("`{name}` has {} bytes, and at most {limit} are allowed", text.len()));
        }
        *text = clean_json(text);
        Ok(())
    };
    capped("settings-schema", &mut description.settings_schema, MAX_SCHEMA_BYTES)?;
    capped("settings-example", &mut description.settings_example, MAX_SMALL_JSON_BYTES)?;
    if description.authentication.len() > MAX_AUTHENTICATION_HINTS {
        return Err(format!("`authentication` has more than {MAX_AUTHENTICATION_HINTS} entries"));
    }
    for hint in &mut description.authentication {
        clean(&mut hint.scheme);
        capped("parameters", &mut hint.parameters, MAX_SMALL_JSON_BYTES)?;
    }
    let Description { name, version, vendor, title, summary, endpoint_example, secret_name, .. } =
        &mut description;
    for text in [name, version, vendor, title, summary, endpoint_example, secret_name] {
        clean(text);
    }
    Ok(description)
}

pub(crate) fn profile(profile: RequestProfile) -> Result<RequestProfile, String> {
    let limits = profile.limits;
    for (name, value) in [
        ("records", limits.records),
        ("body-bytes", limits.body_bytes),
        ("record-bytes", limits.record_bytes),
    ] {
        if value == 0 {
            return Err(format!("the profile's limit `{name}` is 0"));
        }
    }
    Ok(profile)
}

pub(crate) fn problems(mut problems: Vec<SettingProblem>) -> Vec<SettingProblem> {
    problems.truncate(MAX_PROBLEMS);
    for problem in &mut problems {
        clean(&mut problem.pointer);
        clean(&mut problem.message);
    }
    problems
}

/// Everything that [`Records`] promises, for a call with so many events under this framing.
pub(crate) fn records(mut records: Records, events: usize, framing: &Framing) -> Result<Records, String> {
    if records.ends.len() != events {
        return Err(format!("{} ends for {events} events", records.ends.len()));
    }
    records.rejected.sort_by_key(|rejection| rejection.index);
    for rejection in &mut records.rejected {
        clean(&mut rejection.reason);
    }
    let mut rejected = records.rejected.iter().map(|rejection| rejection.index).peekable();
    let mut start = 0;
    for (index, &end) in records.ends.iter().enumerate() {
        if end < start {
            return Err(format!("record {index} ends at {end}, before it begins at {start}"));
        }
        let is_rejected = rejected.next_if(|&rejected| rejected as usize == index).is_some();
        match (end == start, is_rejected) {
            (true, false) => return Err(format!("event {index} has neither a record nor a rejection")),
            (false, true) => return Err(format!("event {index} has both a record and a rejection")),
            _ => start = end,
        }
    }
    // The list is sorted, so what is left is one that was there twice or one beyond the last event.
    if let Some(index) = rejected.next() {
        return Err(format!("rejection {index} is listed twice or is not an event"));
    }
    if start as usize != records.data.len() {
        return Err(format!("the records end at {start} of {} bytes", records.data.len()));
    }
    if *framing == Framing::Newline && memchr::memchr(b'\n', &records.data).is_some() {
        return Err("a record holds a newline, and newlines separate the records".to_owned());
    }
    Ok(records)
}

/// A verdict on a request of so many records.
pub(crate) fn verdict(mut verdict: Verdict, records: u32) -> Result<Verdict, String> {
    match &mut verdict {
        Verdict::Standard | Verdict::Split | Verdict::Delivered(None) | Verdict::Pending(_) => {}
        Verdict::Delivered(Some(note)) => clean_note(note),
        Verdict::Partial(partial) => check_partial(partial, records)?,
        Verdict::Retry { reason, .. } | Verdict::Uncertain { reason, .. } => clean(reason),
        Verdict::Hold(refusal) | Verdict::Rejected(refusal) => {
            let Refusal { reason, hint } = refusal;
            clean(reason);
            clean(hint);
        }
    }
    if let Verdict::Uncertain { lost, .. } = verdict
        && lost > records
    {
        return Err(format!("{lost} of {records} records are said to be lost"));
    }
    Ok(verdict)
}

fn check_partial(partial: &mut Partial, records: u32) -> Result<(), String> {
    let mut next = 0;
    for run in &mut partial.runs {
        let end = run.first.checked_add(run.count).filter(|&end| run.first >= next && end <= records);
        let Some(end) = end else {
            return Err(format!(
                "the run of {} from record {} overlaps another or leaves the {records} records",
                run.count, run.first
            ));
        };
        next = end;
        clean_fate(&mut run.fate);
    }
    clean_fate(&mut partial.rest);
    if let Some(note) = &mut partial.note {
        clean_note(note);
    }
    Ok(())
}

fn clean_fate(fate: &mut Fate) {
    if let Fate::Rejected(reason) = fate {
        clean(reason);
    }
}

fn clean_note(note: &mut Note) {
    clean(&mut note.reason);
    clean(&mut note.hint);
}

fn clean(text: &mut String) {
    *text = clean_line(text);
}

#[cfg(test)]
mod tests {
    use siemaphore_model::formatter::{Rejection, Run};

    use super::*;

    fn rejection(index: u32) -> Rejection {
        Rejection { index, reason: "\u{1b}[31mbad\u{1b}[0m".to_owned() }
    }

    fn check(data: &[u8], ends: &[u32], rejected: &[u32]) -> Result<Records, String> {
        let rejected = rejected.iter().map(|&index| rejection(index)).collect();
        let guests = Records { data: data.to_vec(), ends: ends.to_vec(), rejected };
        records(guests, 3, &Framing::Newline)
    }

    #[test]
    fn honest_records_pass() {
        let checked = check(b"abc", &[1, 2, 3], &[]).unwrap();
        assert_eq!(checked.iter().collect::<Vec<_>>(), [b"a", b"b", b"c"]);
        let checked = check(b"ac", &[1, 1, 2], &[1]).unwrap();
        assert_eq!(checked.rejected, [Rejection { index: 1, reason: "bad".to_owned() }]);
        assert_eq!(check(b"b", &[0, 1, 1], &[2, 0]).unwrap().rejected.len(), 2);
        assert!(records(Records::default(), 0, &Framing::JsonArray).is_ok());
    }

    #[test]
    fn every_lie_about_records_is_a_fault() {
        for (data, ends, rejected, expected) in [
            (&b"abc"[..], &[1, 2][..], &[][..], "2 ends for 3 events"),
            (b"abc", &[1, 2, 3, 3], &[], "4 ends for 3 events"),
            (b"abc", &[2, 1, 3], &[], "record 1 ends at 1, before it begins at 2"),
            (b"abc", &[1, 2, 4], &[], "the records end at 4 of 3 bytes"),
            (b"abc", &[1, 2, u32::MAX], &[], "the records end at 4294967295 of 3 bytes"),
            (b"abcd", &[1, 2, 3], &[], "the records end at 3 of 4 bytes"),
            (b"ab", &[1, 1, 2], &[], "event 1 has neither a record nor a rejection"),
            (b"abc", &[1, 2, 3], &[1], "event 1 has both a record and a rejection"),
            (b"ab", &[1, 1, 2], &[1, 1], "rejection 1 is listed twice or is not an event"),
            (b"ab", &[1, 1, 2], &[1, 3], "rejection 3 is listed twice or is not an event"),
            (b"a\nc", &[1, 2, 3], &[], "a record holds a newline, and newlines separate the records"),
        ] {
            assert_eq!(check(data, ends, rejected), Err(expected.to_owned()));
        }
        let newline = Records { data: b"a\nc".to_vec(), ends: vec![1, 2, 3], rejected: Vec::new() };
        assert!(records(newline, 3, &Framing::JsonArray).is_ok(), "newlines separate nothing there");
    }

    #[test]
    fn runs_of_a_verdict_stay_in_order_and_within_the_request() {
        let judge = |runs: &[(u32, u32)]| {
            let run = |&(first, count): &(u32, u32)| Run { first, count, fate: Fate::Retry };
            let partial = Partial { runs: runs.iter().map(run).collect(), rest: Fate::Delivered, note: None };
            verdict(Verdict::Partial(partial), 10).is_ok()
        };
        assert!(judge(&[]) && judge(&[(0, 10)]) && judge(&[(0, 1), (1, 4), (9, 1)]));
        assert!(!judge(&[(0, 11)]) && !judge(&[(5, 1), (4, 1)]) && !judge(&[(0, 2), (1, 1)]));
        assert!(!judge(&[(u32::MAX, u32::MAX)]));
        assert!(verdict(Verdict::Uncertain { lost: 11, reason: String::new() }, 10).is_err());
    }
}

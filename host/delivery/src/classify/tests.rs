use siemaphore_model::formatter::{Fate, Refusal};

use super::*;
use crate::clean::tests_support::{answer, answer_to};
use siemaphore_secrets::Secret;

fn run(first: u32, count: u32, fate: Fate) -> Run {
    Run { first, count, fate }
}

fn partial(runs: Vec<Run>, rest: Fate) -> Verdict {
    Verdict::Partial(Partial { runs, rest, note: None })
}

/// The name of a decision, so that a table reads well.
fn name(decision: &Decision) -> &'static str {
    match decision {
        Decision::Delivered { .. } => "delivered",
        Decision::Partial { .. } => "partial",
        Decision::Retry { .. } => "retry",
        Decision::Split { .. } => "split",
        Decision::Hold { .. } => "hold",
        Decision::Rejected { .. } => "rejected",
        Decision::Uncertain { .. } => "uncertain",
        Decision::Pending(_) => "pending",
    }
}

fn decided(status: u16, verdict: Verdict) -> &'static str {
    name(&classify(&answer(status, &[], ""), verdict, 3))
}

#[test]
fn a_success_that_is_a_web_page_holds_unless_the_formatter_knows_it() {
    for body in ["<!DOCTYPE html><title>Sign in</title>", "\r\n <HTML lang=en>"] {
        let page = answer(200, &[], body);
        let decision = classify(&page, Verdict::Standard, 3);
        assert!(
            matches!(&decision, Decision::Hold { reason, hint } if reason.contains("web page") && hint.contains("endpoint")),
            "{decision:?}"
        );
        assert_eq!(name(&classify(&page, Verdict::Delivered(None), 3)), "delivered");
    }
    for body in ["<ok/>", "{\"html\":\"<html>\"}", "<htm"] {
        assert_eq!(name(&classify(&answer(200, &[], body), Verdict::Standard, 3)), "delivered", "{body}");
    }
}

#[test]
fn without_an_opinion_of_the_formatter_the_status_decides() {
    for (status, decision) in [
        (200, "delivered"),
        (204, "delivered"),
        (301, "hold"),
        (400, "rejected"),
        (401, "hold"),
        (403, "hold"),
        (404, "hold"),
        (408, "retry"),
        (409, "rejected"),
        (413, "split"),
        (415, "hold"),
        (429, "retry"),
        (500, "retry"),
        (503, "retry"),
    ] {
        assert_eq!(decided(status, Verdict::Standard), decision, "{status}");
    }
}

#[test]
fn delivered_is_believed_on_a_success_only() {
    assert_eq!(decided(200, Verdict::Delivered(None)), "delivered");
    for (status, decision) in
        [(503, "retry"), (400, "rejected"), (401, "hold"), (413, "split"), (302, "hold")]
    {
        assert_eq!(decided(status, Verdict::Delivered(None)), decision, "{status}");
        assert_eq!(decided(status, partial(vec![], Fate::Delivered)), decision, "{status}");
        let all = vec![run(0, 2, Fate::Delivered), run(2, 1, Fate::Duplicate)];
        assert_eq!(decided(status, partial(all, Fate::Retry)), decision, "{status}");
    }
}

#[test]
fn a_verdict_that_is_not_believed_is_named_in_the_reason() {
    let Decision::Retry { reason, .. } = classify(&answer(503, &[], "busy"), Verdict::Delivered(None), 3)
    else {
        panic!("a 503 is tried again");
    };
    assert!(reason.contains("answered 503: busy") && reason.contains("not believed"), "{reason}");
}

#[test]
fn a_failure_that_names_the_first_bad_record_keeps_what_was_delivered_before_it() {
    let fates = vec![
        run(0, 1, Fate::Delivered),
        run(1, 1, Fate::Rejected("no event".into())),
        run(2, 1, Fate::Retry),
    ];
    let decision = classify(&answer(400, &[], ""), partial(fates.clone(), Fate::Retry), 3);
    assert_eq!(decision, Decision::Partial { fates, note: None });
}

#[test]
fn a_success_with_failures_in_it_is_partial() {
    let decision = classify(&answer(200, &[], ""), partial(vec![run(1, 1, Fate::Retry)], Fate::Delivered), 3);
    let fates = vec![run(0, 1, Fate::Delivered), run(1, 1, Fate::Retry), run(2, 1, Fate::Delivered)];
    assert_eq!(decision, Decision::Partial { fates, note: None });
    assert_eq!(decided(200, partial(vec![], Fate::Delivered)), "delivered");
    assert_eq!(decided(200, partial(vec![], Fate::Duplicate)), "partial");
}

#[test]
fn runs_that_make_no_sense_leave_the_status_to_decide() {
    let nonsense = || partial(vec![run(2, 5, Fate::Rejected("x".into()))], Fate::Delivered);
    assert_eq!(decided(503, nonsense()), "retry");
    let Decision::Delivered { note: Some(note) } = classify(&answer(200, &[], ""), nonsense(), 3) else {
        panic!("a 200 is delivered, with a note");
    };
    assert!(note.reason.contains("run 0 reaches beyond the 3 records"), "{}", note.reason);
}

#[test]
fn a_retry_waits_as_long_as_the_formatter_or_the_siem_asks_within_ten_minutes() {
    let wait = |headers: &[(&str, &str)], verdict| match classify(&answer(429, headers, ""), verdict, 3) {
        Decision::Retry { after, .. } => after.map(|after| after.as_secs()),
        other => panic!("{other:?}"),
    };
    let asked = |after_ms| Verdict::Retry { after_ms, reason: "busy".into() };
    let header = [("retry-after", "30")];
    assert_eq!(wait(&header, Verdict::Standard), Some(30));
    assert_eq!(wait(&header, asked(None)), Some(30));
    assert_eq!(wait(&header, asked(Some(5000))), Some(5));
    assert_eq!(wait(&[], asked(Some(u64::MAX))), Some(600));
    assert_eq!(wait(&[], asked(None)), None);
}

#[test]
fn a_success_can_be_a_refusal_and_a_refusal_keeps_the_formatters_words() {
    let refusal = || Refusal { reason: "index missing".into(), hint: "add the index".into() };
    let decision = classify(&answer(200, &[], ""), Verdict::Hold(refusal()), 3);
    assert_eq!(decision, Decision::Hold { reason: "index missing".into(), hint: "add the index".into() });
    assert_eq!(decided(200, Verdict::Rejected(refusal())), "rejected");
    assert_eq!(decided(400, Verdict::Split), "split");
}

#[test]
fn a_refusal_without_words_gets_those_of_the_status() {
    let silent = Refusal { reason: String::new(), hint: " ".into() };
    let Decision::Hold { reason, hint } =
        classify(&answer(403, &[], "denied\n by  rule"), Verdict::Hold(silent), 3)
    else {
        panic!("a hold");
    };
    assert_eq!(reason, "the SIEM answered 403: denied by rule");
    assert!(!hint.trim().is_empty());
}

#[test]
fn no_more_records_are_lost_than_were_sent() {
    let lost = |lost| classify(&answer(200, &[], ""), Verdict::Uncertain { lost, reason: "r".into() }, 3);
    assert_eq!(lost(2), Decision::Uncertain { lost: 2, reason: "r".into() });
    assert_eq!(lost(9), Decision::Uncertain { lost: 3, reason: "r".into() });
    assert_eq!(lost(0), Decision::Delivered { note: None });
}

#[test]
fn a_confirmation_is_waited_for_after_a_success_only() {
    let pending = Pending { after_ms: u64::MAX, query: vec![], body: vec![], state: vec![1] };
    assert_eq!(decided(503, Verdict::Pending(pending.clone())), "retry");
    let Decision::Pending(pending) = classify(&answer(200, &[], ""), Verdict::Pending(pending), 3) else {
        panic!("pending");
    };
    assert_eq!((pending.after_ms, pending.state), (600_000, vec![1]));
}

#[test]
fn every_failure_has_a_reason_and_a_hint() {
    for status in 300..600 {
        match classify(&answer(status, &[], ""), Verdict::Standard, 3) {
            Decision::Retry { reason, hint, .. }
            | Decision::Hold { reason, hint }
            | Decision::Split { reason, hint }
            | Decision::Rejected { reason, hint } => {
                assert!(!reason.is_empty() && !hint.is_empty(), "{status}")
            }
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn a_secret_in_any_words_of_a_verdict_is_in_no_decision() {
    const WORDS: &str = "refused hunter2-x, or \\u0068unter2-x";
    let refusal = || Refusal { reason: WORDS.into(), hint: WORDS.into() };
    let note = || Some(Note { reason: WORDS.into(), hint: WORDS.into(), pause_ms: None });
    let rejected = || Fate::Rejected(WORDS.into());
    let verdicts = || {
        [
            Verdict::Delivered(note()),
            Verdict::Partial(Partial {
                runs: vec![run(1, 1, rejected())],
                rest: Fate::Delivered,
                note: None,
            }),
            Verdict::Partial(Partial { runs: vec![run(1, 1, Fate::Retry)], rest: rejected(), note: note() }),
            Verdict::Partial(Partial { runs: vec![], rest: Fate::Delivered, note: note() }),
            Verdict::Retry { after_ms: None, reason: WORDS.into() },
            Verdict::Hold(refusal()),
            Verdict::Rejected(refusal()),
            Verdict::Uncertain { lost: 1, reason: WORDS.into() },
        ]
    };
    let shown = |secrets: &[Secret], verdict| {
        format!("{:?}", classify(&answer_to(secrets, 200, &[], ""), verdict, 3))
    };
    for verdict in verdicts() {
        assert!(shown(&[], verdict.clone()).contains("hunter2-x"), "{verdict:?} shows its words");
        let decision = shown(&[Secret::new("hunter2-x")], verdict);
        assert!(!decision.contains("unter2-x") && decision.contains("[secret]"), "{decision}");
    }
}

//! Every answer of LogScale and what becomes of the batch.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_logscale::LogScale;
use siemaphore_sdk::Verdict;
use siemaphore_sdk::testkit::{self, answer};

fn verdict(status: u16, body: &str) -> Verdict {
    testkit::configure::<LogScale>("{}").unwrap().interpret(&answer(status, body))
}

#[test]
fn success_is_believed_in_every_form_but_a_page_and_a_failure() {
    for body in ["", "{}", r#"{"text":"Success","code":0}"#] {
        assert_eq!(verdict(200, body), Verdict::Delivered(None), "{body:?}");
    }
    for body in ["<!DOCTYPE html><title>Sign in</title>", r#"{"text":"Invalid data format","code":6}"#] {
        assert!(matches!(verdict(200, body), Verdict::Hold(_)), "{body:?} is believed");
    }
}

#[test]
fn faults_of_configuration_hold_and_say_what_to_do() {
    let Verdict::Hold(refusal) = verdict(401, "The supplied authentication is invalid") else {
        panic!("401 does not hold")
    };
    assert_eq!(refusal.reason, "status 401: The supplied authentication is invalid");
    assert!(refusal.hint.contains("ingest token"), "{}", refusal.hint);
    for (status, hint) in [(403, "another repository"), (404, "`path`"), (405, "`path`")] {
        let Verdict::Hold(refusal) = verdict(status, "") else { panic!("{status} does not hold") };
        assert!(refusal.hint.contains(hint), "{status}: {}", refusal.hint);
    }
}

#[test]
fn an_unreadable_batch_is_left_to_halving_and_a_large_one_is_split() {
    assert!(matches!(verdict(400, "could not parse"), Verdict::Rejected(_)));
    assert_eq!(verdict(413, ""), Verdict::Split);
}

#[test]
fn what_passes_by_itself_is_the_hosts_to_judge() {
    for status in [302, 408, 429, 500, 502, 503, 504] {
        assert_eq!(verdict(status, ""), Verdict::Standard, "{status}");
    }
}

//! Every answer that a receiver gives and what becomes of the request.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_webhook::Webhook;
use siemaphore_sdk::Verdict;
use siemaphore_sdk::testkit::{self, answer};

fn verdict(status: u16, body: &str) -> Verdict {
    testkit::configure::<Webhook>("{}").unwrap().interpret(&answer(status, body))
}

#[test]
fn any_success_is_a_delivery_whatever_it_says() {
    for (status, body) in [(200, ""), (200, "ok"), (201, "{}"), (202, "[]"), (204, ""), (200, "<ok/>")] {
        assert_eq!(verdict(status, body), Verdict::Delivered(None), "{status} {body:?}");
    }
}

#[test]
fn a_web_page_is_not_a_delivery() {
    for body in ["<!DOCTYPE html><title>Sign in</title>", "\n <HTML><body>"] {
        assert!(matches!(verdict(200, body), Verdict::Hold(_)), "{body:?} is believed");
    }
}

#[test]
fn faults_of_configuration_hold_and_say_what_to_do() {
    for (status, body, hint) in [
        (400, r#"{"error":"No matching signature found"}"#, "same secret"),
        (400, "Message timestamp too old", "clocks"),
        (401, "", "secret"),
        (403, "forbidden", "secret"),
        (404, "", "`path`"),
        (405, "", "`method`"),
        (410, "gone", "disable"),
        (415, "", "`content_type`"),
    ] {
        let Verdict::Hold(refusal) = verdict(status, body) else { panic!("{status} {body:?} does not hold") };
        assert!(refusal.hint.contains(hint), "{status}: {}", refusal.hint);
        assert!(refusal.reason.starts_with(&format!("status {status}")), "{}", refusal.reason);
    }
}

#[test]
fn the_receivers_words_are_shown_within_bounds() {
    let Verdict::Hold(refusal) = verdict(403, &format!("no\n{}", "é".repeat(1_000))) else {
        panic!("403 does not hold")
    };
    assert!(refusal.reason.starts_with("status 403: no é"), "{}", refusal.reason);
    assert_eq!(refusal.reason.chars().count(), "status 403: ".len() + 200);
}

#[test]
fn what_passes_by_itself_or_concerns_one_event_is_the_hosts_to_judge() {
    for status in [302, 400, 408, 413, 422, 429, 500, 502, 503, 504] {
        assert_eq!(verdict(status, "no"), Verdict::Standard, "{status}");
    }
}

//! Every answer of a receiver and what becomes of the request.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_leef::Leef;
use siemaphore_sdk::Verdict;
use siemaphore_sdk::testkit::{self, answer};

fn verdict(status: u16, body: &str) -> Verdict {
    testkit::configure::<Leef>("{}").unwrap().interpret(&answer(status, body))
}

#[test]
fn any_success_but_a_web_page_is_a_delivery() {
    for (status, body) in [(200, ""), (200, "ok"), (202, "{}"), (204, "")] {
        assert_eq!(verdict(status, body), Verdict::Delivered(None), "{status} {body:?}");
    }
    let Verdict::Hold(refusal) = verdict(200, "<html><title>QRadar</title>") else {
        panic!("it is believed")
    };
    assert!(refusal.hint.contains("12469"), "{}", refusal.hint);
}

#[test]
fn faults_of_configuration_hold_and_say_what_to_do() {
    for (status, hint) in
        [(401, "certificate"), (403, "certificate"), (404, "`path`"), (405, "port"), (415, "port")]
    {
        let Verdict::Hold(refusal) = verdict(status, "no") else { panic!("{status} does not hold") };
        assert!(refusal.hint.contains(hint), "{status}: {}", refusal.hint);
        assert_eq!(refusal.reason, format!("status {status}: no"));
    }
}

#[test]
fn what_passes_by_itself_or_concerns_one_event_is_the_hosts_to_judge() {
    for status in [302, 400, 408, 410, 413, 429, 500, 502, 503, 504] {
        assert_eq!(verdict(status, "no"), Verdict::Standard, "{status}");
    }
}

//! Every answer of New Relic and what becomes of the batch.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_newrelic::NewRelic;
use siemaphore_sdk::Verdict;
use siemaphore_sdk::testkit::{self, answer};

fn verdict(status: u16, body: &str) -> Verdict {
    testkit::configure::<NewRelic>("{}").unwrap().interpret(&answer(status, body))
}

#[test]
fn a_202_with_an_object_or_nothing_is_a_delivery() {
    for body in ["", r#"{"requestId":"c1bb62fc"}"#, "{ }\n"] {
        assert_eq!(verdict(202, body), Verdict::Delivered(None), "{body:?}");
    }
}

#[test]
fn what_new_relic_would_not_say_is_not_a_delivery() {
    for (status, body) in [(202, "<html>Sign in</html>"), (200, "{}"), (200, ""), (204, "")] {
        let Verdict::Hold(refusal) = verdict(status, body) else { panic!("{status} {body:?} is believed") };
        assert!(refusal.hint.contains("log-api.newrelic.com"), "{}", refusal.hint);
    }
}

#[test]
fn faults_of_configuration_hold_and_say_what_to_do() {
    for (status, body, reason) in [(403, "{}", "status 403: {}"), (401, "", "status 401")] {
        let Verdict::Hold(refusal) = verdict(status, body) else { panic!("{status} does not hold") };
        assert_eq!(refusal.reason, reason);
        assert!(refusal.hint.contains("NRAK-") && refusal.hint.contains("log-api.eu"), "{}", refusal.hint);
    }
    let Verdict::Hold(refusal) = verdict(404, "") else { panic!("404 does not hold") };
    assert!(refusal.hint.contains("without a path"), "{}", refusal.hint);
}

#[test]
fn a_payload_that_is_refused_at_once_is_left_to_halving() {
    assert!(matches!(verdict(400, "bad"), Verdict::Rejected(refusal) if refusal.reason == "status 400: bad"));
}

#[test]
fn the_rest_is_the_hosts_to_judge() {
    // Among them 429, whose Retry-After the host obeys, and 413, which it splits.
    for status in [302, 405, 408, 411, 413, 415, 429, 500, 503] {
        assert_eq!(verdict(status, ""), Verdict::Standard, "{status}");
    }
}

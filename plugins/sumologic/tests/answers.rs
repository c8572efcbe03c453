//! Every answer of Sumo Logic and what becomes of the batch.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_sumologic::SumoLogic;
use siemaphore_sdk::testkit::{self, answer};
use siemaphore_sdk::{Response, Verdict};

fn judge(response: &Response) -> Verdict {
    testkit::configure::<SumoLogic>("{}").unwrap().interpret(response)
}

fn verdict(status: u16, body: &str) -> Verdict {
    judge(&answer(status, body))
}

#[test]
fn a_plain_200_is_a_delivery() {
    for body in ["", "\n", "{}"] {
        assert_eq!(verdict(200, body), Verdict::Delivered(None), "{body:?}");
    }
}

#[test]
fn what_sumo_logic_would_not_say_is_not_a_delivery() {
    for (status, body) in [(200, "<html>Sign in</html>"), (200, "ok"), (202, ""), (204, "")] {
        assert!(matches!(verdict(status, body), Verdict::Hold(_)), "{status} {body:?} is believed");
    }
}

#[test]
fn faults_of_configuration_hold_and_say_what_to_do() {
    let Verdict::Hold(refusal) = verdict(401, "") else { panic!("401 does not hold") };
    assert_eq!(refusal.reason, "status 401");
    assert!(refusal.hint.contains("Regenerating"), "{}", refusal.hint);
    let Verdict::Hold(refusal) = verdict(404, "no such endpoint") else { panic!("404 does not hold") };
    assert_eq!(refusal.reason, "status 404: no such endpoint");
    assert!(refusal.hint.contains("/receiver/v1/http/{secret}"), "{}", refusal.hint);
}

#[test]
fn a_request_that_took_too_long_is_sent_in_smaller_ones() {
    assert_eq!(verdict(408, ""), Verdict::Split);
    let alone = Response { records: 1, ..answer(408, "") };
    assert_eq!(judge(&alone), Verdict::Standard, "one event cannot be split");
}

#[test]
fn a_rate_limit_is_retried_and_said_to_be_one() {
    let Verdict::Retry(retry) = verdict(429, "") else { panic!("429 is not retried") };
    assert_eq!(retry.after_ms, None);
    assert!(retry.reason.contains("over its rate"), "{}", retry.reason);
}

#[test]
fn the_rest_is_the_hosts_to_judge() {
    for status in [302, 400, 403, 413, 500, 503, 504] {
        assert_eq!(verdict(status, ""), Verdict::Standard, "{status}");
    }
}

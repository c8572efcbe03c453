//! Every answer of PagerDuty and what becomes of the event.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_pagerduty::PagerDuty;
use siemaphore_sdk::testkit::{self, answer};
use siemaphore_sdk::{Response, Verdict};

fn judge(response: &Response) -> Verdict {
    testkit::configure::<PagerDuty>("{}").unwrap().interpret(response)
}

fn verdict(status: u16, body: &str) -> Verdict {
    judge(&Response { records: 1, ..answer(status, body) })
}

fn invalid(error: &str) -> String {
    format!(r#"{{"status":"invalid event","message":"Event object is invalid","errors":["{error}"]}}"#)
}

#[test]
fn a_202_that_says_success_is_a_delivery() {
    let body =
        r#"{"status":"success","message":"Event processed","dedup_key":"00112233445566778899aabbccddeeff"}"#;
    assert_eq!(verdict(202, body), Verdict::Delivered(None));
}

#[test]
fn what_pagerduty_would_not_say_is_not_a_delivery() {
    let success = r#"{"status":"success"}"#;
    for (status, body) in [
        (200, success),
        (202, ""),
        (202, "<html>Sign in</html>"),
        (202, r#"{"status":"ok"}"#),
        (202, r#"{"status":7}"#),
        (204, ""),
    ] {
        assert!(matches!(verdict(status, body), Verdict::Hold(_)), "{status} {body:?} is believed");
    }
}

#[test]
fn a_wrong_key_holds_though_pagerduty_blames_the_event() {
    for error in [
        "Length of 'routing_key' is incorrect (should be 32 characters)",
        "'routing_key' cannot contain non-alphanumeric characters.",
        "Invalid routing key",
        "Service key is the wrong length (should be 32 characters)",
    ] {
        let Verdict::Hold(refusal) = verdict(400, &invalid(error)) else { panic!("{error} does not hold") };
        assert_eq!(refusal.reason, format!("status 400: Event object is invalid; {error}"));
        assert!(refusal.hint.contains("integration key"), "{}", refusal.hint);
    }
    let Verdict::Hold(_) = verdict(400, "Invalid routing key") else { panic!("plain words do not hold") };
}

#[test]
fn an_event_that_pagerduty_refuses_is_refused_for_good_with_its_errors() {
    let error = "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')";
    let Verdict::Rejected(refusal) = verdict(400, &invalid(error)) else { panic!("400 is not final") };
    assert_eq!(refusal.reason, format!("status 400: Event object is invalid; {error}"));
    assert_eq!(
        verdict(400, "<html>Bad request</html>"),
        Verdict::Standard,
        "a proxy's word is not PagerDuty's"
    );
}

#[test]
fn a_reason_is_one_line_of_limited_length() {
    let Verdict::Rejected(refusal) = verdict(400, &invalid(&"a\\nb".repeat(1_000))) else {
        panic!("not final")
    };
    assert!(refusal.reason.chars().count() <= 412 && !refusal.reason.contains('\n'), "{}", refusal.reason);
}

#[test]
fn a_rate_limit_waits_as_long_as_pagerduty_asks() {
    let body =
        r#"{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly."}"#;
    let Verdict::Retry(retry) = verdict(429, body) else { panic!("429 is not retried") };
    assert_eq!(retry.after_ms, Some(30_000));
    assert!(retry.reason.starts_with("status 429: Requests for this service"), "{}", retry.reason);
    let mut limited = answer(429, "");
    limited.headers.push(("retry-after".to_owned(), "7".to_owned()));
    let Verdict::Retry(retry) = judge(&limited) else { panic!("429 is not retried") };
    assert_eq!(retry.after_ms, None, "the host reads the header");
}

#[test]
fn faults_of_configuration_hold_and_say_what_to_do() {
    for (status, hint) in
        [(401, "integration key"), (403, "region"), (404, "without a path"), (405, "without a path")]
    {
        let Verdict::Hold(refusal) = verdict(status, "") else { panic!("{status} does not hold") };
        assert_eq!(refusal.reason, format!("status {status}"));
        assert!(refusal.hint.contains(hint), "{}", refusal.hint);
    }
}

#[test]
fn the_rest_is_the_hosts_to_judge() {
    for status in [302, 408, 413, 500, 502, 503] {
        assert_eq!(verdict(status, ""), Verdict::Standard, "{status}");
    }
}

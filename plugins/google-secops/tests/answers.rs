//! Every answer of the Chronicle API and what becomes of the batch.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use siemaphore_formatter_google_secops::GoogleSecOps;
use siemaphore_sdk::testkit::{self, answer};
use siemaphore_sdk::{Refusal, Verdict};

const SETTINGS: &str =
    r#"{"project":"soc","location":"eu","instance":"01234567-89ab-cdef-0123-456789abcdef"}"#;

fn verdict(status: u16, body: &str) -> Verdict {
    testkit::configure::<GoogleSecOps>(SETTINGS).unwrap().interpret(&answer(status, body))
}

fn held(status: u16, body: &str) -> Refusal {
    match verdict(status, body) {
        Verdict::Hold(refusal) => refusal,
        other => panic!("{status} {body:?} is {other:?}"),
    }
}

fn error(code: u16, status: &str, message: &str) -> String {
    format!(r#"{{"error":{{"code":{code},"message":"{message}","status":"{status}","details":[]}}}}"#)
}

#[test]
fn an_empty_object_is_a_delivery() {
    for body in ["{}", "{ }\n", ""] {
        assert_eq!(verdict(200, body), Verdict::Delivered(None), "{body:?}");
    }
}

#[test]
fn a_page_or_an_error_with_a_success_is_not_a_delivery() {
    for body in ["<html>Sign in</html>", "[]", "OK"] {
        assert!(held(200, body).reason.contains("not the Chronicle API's"), "{body}");
    }
    let refusal = held(200, &error(403, "PERMISSION_DENIED", "no"));
    assert_eq!(refusal.reason, "status 200 PERMISSION_DENIED: no");
}

#[test]
fn an_invalid_event_is_looked_for() {
    let body = error(400, "INVALID_ARGUMENT", "udm validation failed: target field is not set");
    let Verdict::Rejected(refusal) = verdict(400, &body) else { panic!("400 is not a rejection") };
    assert_eq!(refusal.reason, "status 400 INVALID_ARGUMENT: udm validation failed: target field is not set");
    assert!(refusal.hint.contains("dead-letters"), "{}", refusal.hint);
}

#[test]
fn a_request_that_is_too_large_is_split_in_both_ways_of_saying_so() {
    assert_eq!(verdict(413, "<html></html>"), Verdict::Split);
    let body = error(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 4194304 bytes.");
    assert_eq!(verdict(400, &body), Verdict::Split);
}

#[test]
fn faults_of_configuration_hold_and_say_what_to_do() {
    assert!(held(401, &error(401, "UNAUTHENTICATED", "x")).hint.contains("scope"));
    let refusal = held(403, &error(403, "PERMISSION_DENIED", "Permission denied"));
    assert_eq!(refusal.reason, "status 403 PERMISSION_DENIED: Permission denied");
    assert!(refusal.hint.contains("chronicle.events.import"), "{}", refusal.hint);
    assert!(held(404, "<html>Error 404</html>").hint.contains("location"));
}

#[test]
fn what_passes_by_itself_is_the_hosts_to_judge() {
    for status in [302, 408, 429, 500, 502, 503, 504] {
        let body = error(status, "RESOURCE_EXHAUSTED", "Quota exceeded");
        assert_eq!(verdict(status, &body), Verdict::Standard, "{status}");
    }
}

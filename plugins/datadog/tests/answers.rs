//! Every answer of Datadog and what becomes of the batch.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_datadog::Datadog;
use siemaphore_sdk::Verdict;
use siemaphore_sdk::testkit::{self, answer};

fn verdict(status: u16, body: &str) -> Verdict {
    testkit::configure::<Datadog>("{}").unwrap().interpret(&answer(status, body))
}

#[test]
fn both_versions_of_the_interface_accept_in_their_way() {
    for (status, body) in [(202, "{}"), (202, ""), (200, "{}"), (200, "{ }\n")] {
        assert_eq!(verdict(status, body), Verdict::Delivered(None), "{status} {body:?}");
    }
}

#[test]
fn a_login_page_is_not_a_delivery() {
    for body in ["<html>Sign in</html>", "OK", "[]"] {
        assert!(matches!(verdict(200, body), Verdict::Hold(_)), "{body:?} is believed");
    }
}

#[test]
fn an_error_within_a_success_is_not_a_delivery() {
    let Verdict::Hold(refusal) = verdict(202, r#"{"errors":["upstream timed out"]}"#) else {
        panic!("it is believed")
    };
    assert_eq!(refusal.reason, "status 202: upstream timed out");
    assert_eq!(verdict(202, r#"{"errors":[]}"#), Verdict::Delivered(None));
}

#[test]
fn faults_of_configuration_hold_and_say_what_to_do() {
    let body = r#"{"errors":[{"status":"403","title":"Forbidden","detail":"API key is invalid"}]}"#;
    let Verdict::Hold(refusal) = verdict(403, body) else { panic!("403 does not hold") };
    assert_eq!(refusal.reason, "status 403: Forbidden: API key is invalid");
    assert!(refusal.hint.contains("another site"), "{}", refusal.hint);
    let Verdict::Hold(refusal) = verdict(401, "") else { panic!("401 does not hold") };
    assert!(refusal.hint.contains("DD-API-KEY"), "{}", refusal.hint);
    let Verdict::Hold(refusal) = verdict(404, r#"{"errors":["Not found"]}"#) else {
        panic!("404 does not hold")
    };
    assert_eq!(refusal.reason, "status 404: Not found");
    assert!(refusal.hint.contains("/v1/input"), "{}", refusal.hint);
}

#[test]
fn an_unreadable_batch_is_left_to_halving_and_a_large_one_is_split() {
    let body = r#"{"errors":[{"title":"Bad Request","detail":"Bad Request"},{"detail":"not JSON"},{}]}"#;
    let Verdict::Rejected(refusal) = verdict(400, body) else { panic!("400 is not a rejection") };
    assert!(refusal.reason.starts_with("status 400: Bad Request; not JSON"), "{}", refusal.reason);
    assert_eq!(verdict(413, "<html></html>"), Verdict::Split);
}

#[test]
fn what_passes_by_itself_is_the_hosts_to_judge() {
    for status in [302, 408, 429, 500, 502, 503, 504] {
        assert_eq!(verdict(status, "{}"), Verdict::Standard, "{status}");
    }
}

//! Every answer of Azure Monitor and what becomes of the batch.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_sentinel::Sentinel;
use siemaphore_sdk::testkit::{self, answer};
use siemaphore_sdk::{Response, Verdict};

const SETTINGS: &str =
    r#"{"dcr_immutable_id":"dcr-0123456789abcdef0123456789abcdef","stream":"Custom-AiEvents_CL"}"#;

fn verdict(response: &Response) -> Verdict {
    testkit::configure::<Sentinel>(SETTINGS).unwrap().interpret(response)
}

fn error(status: u16, code: &str, message: &str) -> Response {
    answer(status, &format!(r#"{{"error":{{"code":"{code}","message":"{message}","details":[]}}}}"#))
}

#[test]
fn success_has_no_body() {
    assert_eq!(verdict(&answer(204, "")), Verdict::Delivered(None));
    assert_eq!(verdict(&answer(200, "")), Verdict::Delivered(None));
    assert!(
        matches!(verdict(&answer(200, "\n<!doctype html>")), Verdict::Hold(_)),
        "a web page is no delivery"
    );
}

#[test]
fn an_error_within_a_success_is_not_a_delivery() {
    let Verdict::Hold(refusal) = verdict(&error(200, "InternalServerError", "try later")) else {
        panic!("it is believed")
    };
    assert_eq!(refusal.reason, "status 200 InternalServerError: try later");
}

#[test]
fn missing_permission_holds_and_names_the_role() {
    let Verdict::Hold(refusal) =
        verdict(&error(403, "OperationFailed", "The authentication token provided does not have access"))
    else {
        panic!("403 does not hold");
    };
    assert_eq!(
        refusal.reason,
        "status 403 OperationFailed: The authentication token provided does not have access"
    );
    assert!(refusal.hint.contains("Monitoring Metrics Publisher"), "{}", refusal.hint);
}

#[test]
fn a_token_for_another_cloud_holds_and_names_the_scope() {
    let Verdict::Hold(refusal) = verdict(&answer(401, "")) else { panic!("401 does not hold") };
    assert!(refusal.hint.contains("https://monitor.azure.com/.default"), "{}", refusal.hint);
}

#[test]
fn not_found_is_a_wrong_address_unless_the_body_was_large() {
    let small = error(404, "NotFound", "Data collection rule not found");
    let Verdict::Hold(refusal) = verdict(&small) else { panic!("404 does not hold") };
    assert!(refusal.hint.contains("immutable id") && refusal.hint.contains("region"), "{}", refusal.hint);
    let large = Response { body_bytes: 999_000, ..small };
    assert_eq!(verdict(&large), Verdict::Split);
    assert!(
        matches!(verdict(&Response { records: 1, ..large }), Verdict::Hold(_)),
        "nothing is left to split"
    );
}

#[test]
fn requests_that_are_too_large_are_split() {
    assert_eq!(verdict(&answer(413, "")), Verdict::Split);
    assert_eq!(verdict(&error(408, "TimeoutExpired", "ReadyBody_ClientConnectionAbort")), Verdict::Split);
}

#[test]
fn a_batch_that_spans_too_much_time_is_split_until_it_does_not() {
    let refused = error(400, "RecordsTimeRangeIsMoreThan30Minutes", "The time range is too wide");
    assert_eq!(verdict(&refused), Verdict::Split);
    assert!(matches!(verdict(&Response { records: 1, ..refused }), Verdict::Rejected(_)));
}

#[test]
fn the_code_is_also_read_from_the_header() {
    let headers = vec![("x-ms-error-code".to_owned(), "InvalidPayload".to_owned())];
    let Verdict::Rejected(refusal) = verdict(&Response { headers, ..answer(400, "") }) else {
        panic!("400 is no rejection")
    };
    assert_eq!(refusal.reason, "status 400 InvalidPayload");
}

/// With the Retry-After that Azure sends.
#[test]
fn what_passes_by_itself_is_the_hosts_to_judge() {
    for status in [408, 429, 500, 502, 503, 504] {
        assert_eq!(verdict(&error(status, "Busy", "")), Verdict::Standard, "{status}");
    }
}

//! Every answer of the Data Collector API and what becomes of the batch.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use siemaphore_formatter_azure_data_collector::DataCollector;
use siemaphore_sdk::testkit::{self, answer};
use siemaphore_sdk::{Refusal, Response, Verdict};

fn interpret(response: &Response) -> Verdict {
    testkit::configure::<DataCollector>(r#"{"log_type":"AiEvents"}"#).unwrap().interpret(response)
}

fn held(status: u16, body: &str) -> Refusal {
    match interpret(&answer(status, body)) {
        Verdict::Hold(refusal) => refusal,
        other => panic!("{status} {body:?} is {other:?}"),
    }
}

#[test]
fn a_success_is_a_delivery_and_a_page_or_an_error_is_none() {
    for body in ["", "{}"] {
        assert_eq!(interpret(&answer(200, body)), Verdict::Delivered(None));
    }
    assert!(held(200, " <html></html>").hint.contains("web page"));
    assert!(held(200, r#"{"Error":"InvalidAuthorization"}"#).hint.contains("proxies"));
}

#[test]
fn codes_about_the_request_hold_and_those_about_the_rows_do_not() {
    for code in [
        "InactiveCustomer",
        "InvalidApiVersion",
        "InvalidCustomerId",
        "InvalidLogType",
        "MissingApiVersion",
        "MissingContentType",
        "MissingLogType",
        "UnsupportedContentType",
    ] {
        let refusal = held(400, &format!(r#"{{"Error":"{code}","Message":"no"}}"#));
        assert_eq!(refusal.reason, format!("status 400 {code}: no"));
    }
    for body in [r#"{"Error":"InvalidDataFormat","Message":"no"}"#, "", "[]"] {
        let Verdict::Rejected(refusal) = interpret(&answer(400, body)) else { panic!("{body} holds") };
        assert!(refusal.hint.contains("sentinel"), "{}", refusal.hint);
    }
}

#[test]
fn every_hold_says_that_the_api_is_retired_and_what_replaces_it() {
    for (status, body) in [
        (200, "<html></html>"),
        (400, r#"{"error":"InactiveCustomer"}"#),
        (401, ""),
        (403, r#"{"Error":"InvalidAuthorization"}"#),
        (404, ""),
        (410, ""),
    ] {
        let hint = held(status, body).hint;
        assert!(hint.contains("retired") && hint.contains("formatter sentinel"), "{status}: {hint}");
    }
}

#[test]
fn a_large_request_that_is_not_found_is_split() {
    let large = Response { body_bytes: 5_000_000, ..answer(404, "") };
    assert_eq!(interpret(&large), Verdict::Split);
    let lone = Response { records: 1, ..large };
    assert!(matches!(interpret(&lone), Verdict::Hold(_)));
    assert_eq!(interpret(&answer(413, "")), Verdict::Split);
}

#[test]
fn what_passes_by_itself_is_the_hosts_to_judge() {
    for status in [302, 408, 429, 500, 503] {
        assert_eq!(
            interpret(&answer(status, r#"{"Error":"UnspecifiedError"}"#)),
            Verdict::Standard,
            "{status}"
        );
    }
}

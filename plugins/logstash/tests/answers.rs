//! Every answer of an http input and what becomes of the batch.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use siemaphore_formatter_logstash::Logstash;
use siemaphore_sdk::Verdict;
use siemaphore_sdk::testkit::{self, answer};

fn verdict(status: u16, body: &str) -> Verdict {
    testkit::configure::<Logstash>("{}").unwrap().interpret(&answer(status, body))
}

fn hint(status: u16, body: &str) -> String {
    let Verdict::Hold(refusal) = verdict(status, body) else { panic!("{status} {body:?} does not hold") };
    refusal.hint
}

#[test]
fn every_response_code_that_can_be_set_is_a_delivery() {
    for (status, body) in [(200, "ok"), (201, "ok"), (202, "ok\n"), (204, "")] {
        assert_eq!(verdict(status, body), Verdict::Delivered(None), "{status}");
    }
}

#[test]
fn what_logstash_would_not_say_is_not_a_delivery() {
    for (status, body) in [(200, ""), (200, "<html>Sign in</html>"), (200, "{}"), (204, "ok"), (206, "ok")] {
        assert!(hint(status, body).starts_with("something else answers here"), "{status} {body:?}");
    }
}

#[test]
fn neighbours_are_known_by_what_they_say() {
    assert!(hint(401, "Unauthorized").contains("options user and password"));
    let splunk = "<response><messages><msg type=\"ERROR\">not found</msg></messages></response>";
    assert!(hint(404, splunk).contains("management port is 8089"));
    assert!(
        hint(405, r#"{"error":"Incorrect HTTP method","type":"illegal_argument_exception"}"#)
            .starts_with("Elasticsearch")
    );
    assert!(hint(200, r#"{"cluster_name":"logs"}"#).starts_with("Elasticsearch"));
    for status in [400, 403, 404, 405] {
        assert!(hint(status, "").starts_with("something else"), "{status}");
    }
}

#[test]
fn a_full_queue_is_waited_for() {
    let Verdict::Retry(retry) = verdict(429, "Busy") else { panic!("429 is not retried") };
    assert_eq!(retry.after_ms, None);
    assert!(retry.reason.contains("queue is full"), "{}", retry.reason);
}

#[test]
fn the_rest_is_the_hosts_to_judge() {
    for status in [302, 408, 413, 415, 500, 502, 503] {
        assert_eq!(verdict(status, ""), Verdict::Standard, "{status}");
    }
}

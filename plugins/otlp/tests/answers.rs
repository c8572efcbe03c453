//! Every answer of an OTLP server and what becomes of the batch.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use siemaphore_formatter_otlp::Otlp;
use siemaphore_sdk::testkit::{self, answer};
use siemaphore_sdk::{Fate, Refusal, Verdict};

fn verdict(status: u16, body: &str) -> Verdict {
    testkit::configure::<Otlp>("{}").unwrap().interpret(&answer(status, body))
}

fn held(status: u16, body: &str) -> Refusal {
    match verdict(status, body) {
        Verdict::Hold(refusal) => refusal,
        other => panic!("{status} {body:?} is {other:?}"),
    }
}

#[test]
fn a_success_has_an_empty_object_or_nothing() {
    for (status, body) in
        [(200, "{}"), (200, "{ }\n"), (200, r#"{"partialSuccess":{}}"#), (202, ""), (200, r#"{"id":"x"}"#)]
    {
        assert_eq!(verdict(status, body), Verdict::Delivered(None), "{status} {body:?}");
    }
    assert_eq!(verdict(200, r#"{"partialSuccess":null}"#), Verdict::Delivered(None));
}

#[test]
fn refused_records_without_a_name_make_the_batch_uncertain() {
    for body in [
        r#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too old"}}"#,
        r#"{"partialSuccess":{"rejectedLogRecords":3,"errorMessage":"too old"}}"#,
        r#"{"partial_success":{"rejected_log_records":"3","error_message":"too old"}}"#,
    ] {
        let Verdict::Uncertain(uncertain) = verdict(200, body) else { panic!("{body} is certain") };
        assert_eq!(uncertain.lost, 3);
        assert!(uncertain.reason.ends_with("too old"), "{}", uncertain.reason);
    }
}

#[test]
fn when_all_records_are_refused_it_is_known_which() {
    for rejected in ["10", "4000", "99999999999"] {
        let body = format!(
            r#"{{"partialSuccess":{{"rejectedLogRecords":"{rejected}","errorMessage":"no quota"}}}}"#
        );
        let Verdict::Partial(partial) = verdict(200, &body) else { panic!("{rejected} is no partial") };
        assert_eq!(partial.rest, Fate::Rejected("the server took none: no quota".to_owned()));
        assert!(partial.runs.is_empty());
    }
}

#[test]
fn a_message_without_refused_records_is_a_warning() {
    let body = r#"{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"use gzip"}}"#;
    let Verdict::Delivered(Some(note)) = verdict(200, body) else { panic!("no note") };
    assert_eq!((note.reason.as_str(), note.pause_ms), ("the server warns: use gzip", None));
}

#[test]
fn a_page_or_an_error_with_a_success_is_not_a_delivery() {
    for body in ["<html>Sign in</html>", "OK", "[]", "\"ok\"", "7", "{\"partialSuccess\":7}"] {
        assert!(held(200, body).reason.contains("not OTLP's"), "{body}");
    }
    let refusal = held(200, r#"{"code":16,"message":"unauthenticated"}"#);
    assert_eq!(refusal.reason, "status 200 with error 16: unauthenticated");
}

#[test]
fn faults_of_configuration_hold_and_say_what_to_do() {
    assert!(held(401, "").hint.contains("header"));
    let refusal = held(403, r#"{"code":7,"message":"wrong tenant"}"#);
    assert_eq!(refusal.reason, "status 403: wrong tenant");
    for status in [404, 405] {
        assert!(held(status, "404 page not found").hint.contains("4318"), "{status}");
    }
    assert!(held(415, "").hint.contains("JSON"));
}

#[test]
fn what_the_specification_lets_nobody_send_again_is_not_sent_again() {
    let Verdict::Rejected(refusal) = verdict(400, r#"{"code":3,"message":"bad intValue","details":[]}"#)
    else {
        panic!("400 is not a rejection")
    };
    assert_eq!(refusal.reason, "status 400: bad intValue");
    for status in [500, 501, 505, 599] {
        let Verdict::Rejected(refusal) = verdict(status, "") else { panic!("{status} is not a rejection") };
        assert!(refusal.hint.contains("replay"), "{status}: {}", refusal.hint);
    }
}

#[test]
fn what_may_be_sent_again_is_the_hosts_to_judge_and_a_large_batch_is_split() {
    for status in [302, 408, 429, 502, 503, 504] {
        assert_eq!(verdict(status, r#"{"code":14,"message":"later"}"#), Verdict::Standard, "{status}");
    }
    assert_eq!(verdict(413, ""), Verdict::Split);
}

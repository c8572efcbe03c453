//! Every answer of HEC and what becomes of the batch.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_splunk::Splunk;
use siemaphore_sdk::testkit::{self, answer};
use siemaphore_sdk::{Fate, Response, Run, Verdict};

fn verdict(response: &Response) -> Verdict {
    testkit::configure::<Splunk>("{}").unwrap().interpret(response)
}

fn coded(status: u16, code: u32) -> Verdict {
    verdict(&answer(status, &format!(r#"{{"text":"what HEC says","code":{code}}}"#)))
}

#[test]
fn success_is_what_hec_itself_calls_success() {
    assert_eq!(verdict(&answer(200, r#"{"text":"Success","code":0}"#)), Verdict::Delivered(None));
    assert_eq!(verdict(&answer(200, r#"{"text":"Success","code":0,"ackId":7}"#)), Verdict::Delivered(None));
    for impostor in ["", "OK", "<html>Sign in</html>", "{}", "[]", r#"{"status":"ok"}"#] {
        let Verdict::Hold(refusal) = verdict(&answer(200, impostor)) else {
            panic!("{impostor:?} is believed")
        };
        assert!(refusal.hint.contains("8088"), "{}", refusal.hint);
    }
}

#[test]
fn a_code_that_says_success_is_not_believed_with_a_failure() {
    assert_eq!(coded(500, 0), Verdict::Standard);
    assert_eq!(coded(503, 24), Verdict::Standard);
}

#[test]
fn configuration_faults_hold_with_a_hint() {
    for (status, code) in [
        (403, 1),
        (401, 2),
        (401, 3),
        (403, 4),
        (400, 7),
        (400, 10),
        (400, 11),
        (400, 14),
        (400, 16),
        (400, 21),
        (400, 22),
        (400, 28),
    ] {
        let Verdict::Hold(refusal) = coded(status, code) else { panic!("code {code} does not hold") };
        assert_eq!(refusal.reason, format!("HEC code {code}: what HEC says"));
        assert!(!refusal.hint.is_empty());
    }
}

#[test]
fn trouble_of_the_indexer_is_retried() {
    for (status, code) in
        [(500, 8), (503, 9), (503, 18), (503, 19), (503, 20), (503, 23), (429, 26), (429, 27)]
    {
        assert!(matches!(coded(status, code), Verdict::Retry(_)), "code {code}");
    }
}

#[test]
fn an_indexer_near_its_capacity_has_the_batch_and_gets_a_pause() {
    for code in [24, 25] {
        let Verdict::Delivered(Some(note)) = coded(200, code) else {
            panic!("code {code} is not a delivery")
        };
        assert!(note.pause_ms.is_some_and(|pause_ms| pause_ms > 0));
        assert!(note.reason.starts_with(&format!("HEC code {code}: ")) && !note.hint.is_empty(), "{note:?}");
    }
}

#[test]
fn a_bad_event_is_rejected_alone_what_precedes_it_is_delivered_and_the_rest_is_sent_again() {
    for code in [6, 12, 13, 15] {
        let body = format!(r#"{{"text":"bad","code":{code},"invalid-event-number":3}}"#);
        let Verdict::Partial(partial) = verdict(&answer(400, &body)) else { panic!("code {code}") };
        assert_eq!(partial.runs[0], Run { first: 0, count: 3, fate: Fate::Delivered });
        let [_, Run { first: 3, count: 1, fate: Fate::Rejected(reason) }] = partial.runs.as_slice() else {
            panic!("{:?}", partial.runs)
        };
        let said = format!("HEC code {code}: bad: HEC ");
        assert!(reason.starts_with(&said) && reason.len() > said.len(), "{reason}");
        assert_eq!((partial.rest, partial.note), (Fate::Retry, None));
    }
}

#[test]
fn nothing_precedes_the_first_event() {
    let Verdict::Partial(partial) =
        verdict(&answer(400, r#"{"text":"bad","code":12,"invalid-event-number":0}"#))
    else {
        panic!("not partial");
    };
    assert_eq!(partial.runs.len(), 1);
    assert_eq!((partial.runs[0].first, partial.runs[0].count), (0, 1));
}

#[test]
fn a_bad_event_that_hec_does_not_name_is_left_to_halving() {
    for body in
        [r#"{"text":"Invalid data format","code":6}"#, r#"{"text":"bad","code":6,"invalid-event-number":10}"#]
    {
        assert!(matches!(verdict(&answer(400, body)), Verdict::Rejected(_)), "{body}");
    }
    assert!(matches!(coded(400, 5), Verdict::Rejected(_)));
}

/// A failure in the body outweighs a success in the status.
#[test]
fn an_error_within_a_success_is_no_delivery() {
    for code in [8, 9, 18, 19, 20, 23, 26, 27] {
        assert!(matches!(coded(200, code), Verdict::Retry(_)), "code {code}");
    }
    for code in [1, 2, 3, 4, 7, 10, 11, 14, 16, 21, 22, 28, 99] {
        assert!(matches!(coded(200, code), Verdict::Hold(_)), "code {code}");
    }
    for code in [5, 6, 12, 13, 15] {
        assert!(matches!(coded(200, code), Verdict::Rejected(_)), "code {code}");
    }
}

#[test]
fn the_health_of_hec_is_an_answer_to_a_probe_and_to_nothing_else() {
    let healthy = answer(200, r#"{"text":"HEC is healthy","code":17}"#);
    assert!(matches!(verdict(&healthy), Verdict::Hold(_)), "ten events went nowhere");
    assert_eq!(verdict(&Response { records: 0, ..healthy }), Verdict::Delivered(None));
}

#[test]
fn an_indexer_that_shuts_down_is_left_alone_for_a_while() {
    let Verdict::Retry(retry) = coded(503, 23) else { panic!("not retried") };
    assert!(retry.after_ms.is_some_and(|after_ms| after_ms >= 10_000), "{retry:?}");
}

/// Splunk Cloud answers so instead of with 413.
#[test]
fn a_request_too_large_for_cloud_is_split() {
    let body = r#"{"text":"Invalid data format","code":6,"invalid-event-number":0}"#;
    let large = Response { body_bytes: 5_500_000, ..answer(400, body) };
    assert_eq!(verdict(&large), Verdict::Split);
    assert!(matches!(verdict(&Response { records: 1, ..large }), Verdict::Partial(_)));
}

/// For errors below HEC's own layer, the code repeats the status.
#[test]
fn statuses_count_where_hec_says_nothing() {
    assert_eq!(coded(413, 413), Verdict::Split);
    assert_eq!(verdict(&answer(413, "<html></html>")), Verdict::Split);
    for status in [401, 403, 404, 405, 415] {
        assert!(matches!(coded(status, u32::from(status)), Verdict::Hold(_)), "{status}");
        assert!(matches!(verdict(&answer(status, "")), Verdict::Hold(_)), "{status}");
    }
    for status in [302, 400, 408, 429, 500, 502, 503] {
        assert_eq!(verdict(&answer(status, "")), Verdict::Standard, "{status}");
    }
}

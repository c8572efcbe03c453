//! Every answer of Loki and what becomes of the batch.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_loki::Loki;
use siemaphore_sdk::testkit::{self, answer};
use siemaphore_sdk::{Response, Verdict};

fn judge(response: &Response) -> Verdict {
    testkit::configure::<Loki>("{}").unwrap().interpret(response)
}

fn verdict(status: u16, body: &str) -> Verdict {
    judge(&answer(status, body))
}

#[test]
fn only_204_is_a_delivery() {
    assert_eq!(verdict(204, ""), Verdict::Delivered(None));
    for (status, body) in [(200, ""), (200, "<html>Sign in</html>"), (202, "{}")] {
        assert!(matches!(verdict(status, body), Verdict::Hold(_)), "{status} {body:?} is believed");
    }
}

#[test]
fn a_260_says_that_what_was_sent_is_dropped() {
    let Verdict::Hold(refusal) = verdict(260, "ingestion blocked for user fake until '2026-06-08'") else {
        panic!("260 is believed")
    };
    assert!(refusal.reason.starts_with("status 260: ingestion blocked"), "{}", refusal.reason);
    assert!(refusal.hint.contains("block_ingestion_until"), "{}", refusal.hint);
}

#[test]
fn a_400_about_single_lines_is_left_to_halving_with_a_hint_for_each_cause() {
    for (body, hint) in [
        (
            "entry with timestamp 2024-05-06 15:58:50 +0000 UTC ignored, reason: 'entry too far behind, oldest acceptable \
             timestamp is: 2024-05-07T10:25:30Z',\nuser 'fake', total ignored: 1 out of 2 for stream: {a=\"b\"}",
            "labels of their own",
        ),
        ("entry out of order", "labels of their own"),
        ("entry for stream '{a=\"b\"}' has timestamp too old: 2024-05-06T15:58:50Z", "max_age_hours"),
        ("entry for stream '{a=\"b\"}' has timestamp too new: 2044-05-06T15:58:50Z", "clock"),
        ("max entry size '262144' bytes exceeded for stream '{a=\"b\"}'", "max_line_size"),
        ("something that nobody has heard of", "could not take"),
    ] {
        let Verdict::Rejected(refusal) = verdict(400, body) else { panic!("{body} is not a rejection") };
        assert!(refusal.hint.contains(hint), "{body}: {}", refusal.hint);
        assert!(refusal.reason.starts_with("status 400: "), "{}", refusal.reason);
    }
}

#[test]
fn a_400_about_every_line_holds() {
    for (body, hint) in [
        (
            "stream '{a=\"b\"}' includes structured metadata, but this feature is disallowed. Please see \
             `limits_config.allow_structured_metadata`",
            "structured_metadata = false",
        ),
        ("entry for stream '{}' has 16 label names; limit 15", "event_labels"),
        ("stream '{}' has label value too long: 'x'", "event_labels"),
        ("stream '{}' has label name too long: 'x'", "event_labels"),
        ("no org id", "set tenant"),
    ] {
        let Verdict::Hold(refusal) = verdict(400, body) else { panic!("{body} does not hold") };
        assert!(refusal.hint.contains(hint), "{body}: {}", refusal.hint);
    }
}

#[test]
fn faults_of_configuration_hold_and_say_what_to_do() {
    for (status, hint) in [(401, "tenant"), (403, "logs:write"), (404, "is appended")] {
        let Verdict::Hold(refusal) = verdict(status, "words") else { panic!("{status} does not hold") };
        assert_eq!(refusal.reason, format!("status {status}: words"));
        assert!(refusal.hint.contains(hint), "{}", refusal.hint);
    }
}

#[test]
fn a_rate_limit_is_waited_for_unless_the_request_is_larger_than_it() {
    let words = |limit: u64, bytes: u64| {
        format!(
            "ingestion rate limit exceeded for user fake (limit: {limit} bytes/sec) while attempting to ingest '10' lines \
             totaling '{bytes}' bytes, reduce log volume"
        )
    };
    assert!(matches!(verdict(429, &words(4_194_304, 1_000)), Verdict::Retry(_)));
    assert_eq!(verdict(429, &words(1_000, 4_194_304)), Verdict::Split);
    let alone = Response { records: 1, ..answer(429, &words(1_000, 4_194_304)) };
    assert!(matches!(judge(&alone), Verdict::Retry(_)), "one line cannot be split");
    let Verdict::Retry(retry) = verdict(429, "Maximum active stream limit exceeded") else {
        panic!("429 is not retried")
    };
    assert_eq!(retry.reason, "status 429: Maximum active stream limit exceeded");
}

#[test]
fn the_rest_is_the_hosts_to_judge() {
    for status in [302, 405, 408, 413, 500, 502, 503] {
        assert_eq!(verdict(status, ""), Verdict::Standard, "{status}");
    }
}

//! Every answer of Slack and what becomes of the event.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_slack::Slack;
use siemaphore_sdk::testkit::{self, answer};
use siemaphore_sdk::{Response, Verdict};

fn verdict(status: u16, body: &str) -> Verdict {
    let response = Response { records: 1, ..answer(status, body) };
    testkit::configure::<Slack>("{}").unwrap().interpret(&response)
}

fn held(status: u16, body: &str) -> String {
    let Verdict::Hold(refusal) = verdict(status, body) else { panic!("{status} {body} does not hold") };
    let expected =
        if body.is_empty() { format!("status {status}") } else { format!("status {status}: {body}") };
    assert_eq!(refusal.reason, expected);
    refusal.hint
}

#[test]
fn a_200_that_says_ok_is_a_delivery() {
    for body in ["ok", "ok\n"] {
        assert_eq!(verdict(200, body), Verdict::Delivered(None), "{body:?}");
    }
}

#[test]
fn what_slack_would_not_say_is_not_a_delivery() {
    for (status, body) in
        [(200, ""), (200, "<html>Sign in</html>"), (200, "{\"ok\":true}"), (201, "ok"), (204, "")]
    {
        assert!(matches!(verdict(status, body), Verdict::Hold(_)), "{status} {body:?} is believed");
    }
}

#[test]
fn a_webhook_that_is_gone_holds_whatever_the_status() {
    for (status, word) in [
        (403, "invalid_token"),
        (404, "no_service"),
        (404, "no_team"),
        (404, "no_active_hooks"),
        (400, "no_service_id"),
        (403, "team_disabled"),
    ] {
        assert!(held(status, word).contains("webhook was removed"), "{word}");
    }
}

#[test]
fn a_channel_that_takes_nothing_holds_and_says_what_to_do() {
    for (status, word) in [(404, "channel_not_found"), (410, "channel_is_archived"), (400, "user_not_found")]
    {
        assert!(held(status, word).contains("restore it"), "{word}");
    }
    for (status, word) in [(403, "action_prohibited"), (400, "posting_to_general_channel_denied")] {
        assert!(held(status, word).contains("administrator"), "{word}");
    }
}

#[test]
fn other_faults_of_configuration_name_the_endpoint() {
    for (status, body) in [(302, ""), (401, ""), (403, "no"), (404, ""), (405, ""), (410, "gone")] {
        assert!(held(status, body).contains("/services/{secret}"), "{status}");
    }
}

#[test]
fn a_message_that_slack_cannot_read_is_refused_for_good() {
    for word in [
        "invalid_payload",
        "invalid_blocks",
        "invalid_attachments",
        "no_text",
        "missing_text_or_fallback_or_attachments",
    ] {
        let Verdict::Rejected(refusal) = verdict(400, word) else { panic!("{word} is not final") };
        assert_eq!(refusal.reason, format!("status 400: {word}"));
    }
}

#[test]
fn a_rate_limit_is_retried_when_slack_says() {
    let Verdict::Retry(retry) = verdict(429, "rate_limited") else { panic!("429 is not retried") };
    assert_eq!(retry.after_ms, None, "the host reads Retry-After");
    assert!(retry.reason.contains("events_per_second = 1"), "{}", retry.reason);
}

#[test]
fn the_rest_is_the_hosts_to_judge() {
    for (status, body) in
        [(400, "too_many_attachments"), (408, ""), (413, ""), (500, "rollup_error"), (503, "")]
    {
        assert_eq!(verdict(status, body), Verdict::Standard, "{status}");
    }
}

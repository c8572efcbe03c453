//! What PagerDuty takes, and what it refuses with which errors.

use http::header::CONTENT_ENCODING;
use serde_json::{Value, json};
use siemaphore_receiver::{ReceiverConfig, Siem};

use crate::support::{Lab, Reply, gzip, reply};

const KEY: &str = "0123456789abcdef0123456789ABCDEF";

async fn pagerduty() -> Lab {
    Lab::start(Siem::pagerduty(KEY)).await
}

fn event() -> Value {
    json!({
        "routing_key": KEY, "event_action": "trigger", "dedup_key": "k1",
        "payload": { "summary": "dlp.pii_blocked", "source": "gateway", "severity": "error" },
    })
}

/// The event with another value at a JSON Pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut event = event();
    let (above, name) = pointer.rsplit_once('/').expect("a pointer");
    let above = event.pointer_mut(above).and_then(Value::as_object_mut).expect("an object");
    above.insert(name.to_owned(), value);
    event
}

async fn send(lab: &Lab, body: String) -> Reply {
    reply(lab.client.post(lab.url("/v2/enqueue")).body(body)).await
}

#[tokio::test]
async fn an_event_with_all_that_is_required_is_taken() {
    let lab = pagerduty().await;
    let answer = send(&lab, event().to_string()).await;
    assert_eq!(answer.status, 202);
    assert_eq!(
        answer.json(),
        json!({ "status": "success", "message": "Event processed", "dedup_key": "k1" })
    );
    let whole = with("/payload/timestamp", json!("2026-06-08T20:15:30Z")).to_string();
    assert_eq!(send(&lab, whole).await.status, 202);
    assert_eq!(lab.taken_whole(), 2);
}

#[tokio::test]
async fn what_is_wrong_with_an_event_is_named() {
    let lab = pagerduty().await;
    for (pointer, value, error) in [
        ("/routing_key", json!(null), "'routing_key' is missing or blank"),
        ("/routing_key", json!("short1"), "Length of 'routing_key' is incorrect (should be 32 characters)"),
        ("/routing_key", json!("-".repeat(32)), "'routing_key' cannot contain non-alphanumeric characters."),
        ("/routing_key", json!("0".repeat(32)), "Invalid routing key"),
        (
            "/event_action",
            json!("open"),
            "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge', 'resolve')",
        ),
        ("/dedup_key", json!("k".repeat(256)), "'dedup_key' is too long (maximum is 255 characters)"),
        ("/payload/summary", json!(" "), "'payload.summary' is missing or blank"),
        (
            "/payload/summary",
            json!("é".repeat(1_025)),
            "'payload.summary' is too long (maximum is 1024 characters)",
        ),
        ("/payload/source", json!(7), "'payload.source' is missing or blank"),
        (
            "/payload/severity",
            json!("high"),
            "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error', 'info')",
        ),
        ("/payload/class", json!(7), "'payload.class' is invalid (must be a string)"),
        ("/payload/custom_details", json!("x"), "'payload.custom_details' is invalid (must be an object)"),
    ] {
        let answer = send(&lab, with(pointer, value).to_string()).await;
        assert_eq!(answer.status, 400, "{error}");
        let expected =
            json!({ "status": "invalid event", "message": "Event object is invalid", "errors": [error] });
        assert_eq!(answer.json(), expected);
    }
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn the_longest_values_are_taken() {
    let lab = pagerduty().await;
    for (pointer, value) in [("/dedup_key", "é".repeat(255)), ("/payload/summary", "é".repeat(1_024))] {
        assert_eq!(send(&lab, with(pointer, json!(value)).to_string()).await.status, 202, "{pointer}");
    }
    assert_eq!(lab.taken_whole(), 2);
}

#[tokio::test]
async fn only_one_json_object_at_one_path_is_taken() {
    let lab = pagerduty().await;
    let two = format!("{}\n{}", event(), event());
    for body in [two.as_str(), "", "[]", "text", "{"] {
        assert_eq!(send(&lab, body.to_owned()).await.status, 400, "{body:?}");
    }
    let elsewhere = lab.client.post(lab.url("/v2/enqueue/v2/enqueue")).body(event().to_string());
    assert_eq!(reply(elsewhere).await.status, 404);
    assert_eq!(reply(lab.client.get(lab.url("/v2/enqueue"))).await.status, 405);
    let compressed = lab.client.post(lab.url("/v2/enqueue")).header(CONTENT_ENCODING, "gzip");
    assert_eq!(reply(compressed.body(gzip(event().to_string().as_bytes()))).await.status, 400);
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn an_event_over_512_kb_is_too_large() {
    let lab = pagerduty().await;
    let long =
        |bytes: usize| with("/payload/custom_details", json!({ "text": "x".repeat(bytes) })).to_string();
    let room = 512_000 - long(0).len();
    assert_eq!(send(&lab, long(room)).await.status, 202);
    assert_eq!(send(&lab, long(room + 1)).await.status, 413);
    let config = ReceiverConfig { max_body_bytes: Some(100), ..ReceiverConfig::default() };
    let small = Lab::start_with(Siem::pagerduty(KEY), config).await;
    assert_eq!(send(&small, event().to_string()).await.status, 413);
}

#[tokio::test]
async fn what_pagerduty_takes_and_spoils_is_a_violation() {
    for (body, reason) in [
        (with("/payload/timestamp", json!("yesterday")).to_string(), "\"yesterday\" is not read"),
        (with("/payload/timestamp", json!(1_780_949_730)).to_string(), "1780949730 is not read"),
        (event().to_string().replacen('{', "{\"dedup_key\":\"k0\",", 1), "key 'dedup_key' appears twice"),
    ] {
        let lab = pagerduty().await;
        assert_eq!(send(&lab, body).await.status, 202, "{reason}");
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(reason)), "{reason}: {reasons:?}");
    }
}

use reqwest::RequestBuilder;
use reqwest::header::CONTENT_ENCODING;
use serde_json::{Value, json};
use siemaphore_receiver::Siem;

use crate::support::{Lab, Reply, deflate, gzip, iso_hours_from_now, reply};

const API_KEY: &str = "0123456789abcdef0123456789abcdef";

async fn datadog() -> Lab {
    Lab::start(Siem::datadog(API_KEY)).await
}

fn logs_request(lab: &Lab) -> RequestBuilder {
    lab.client.post(lab.url("/api/v2/logs")).header("DD-API-KEY", API_KEY)
}

async fn send(lab: &Lab, body: impl Into<reqwest::Body>) -> Reply {
    reply(logs_request(lab).body(body)).await
}

fn log() -> Value {
    json!({
        "ddsource": "aisg", "ddtags": "env:test,severity:high", "service": "gateway", "hostname": "gw-1",
        "status": "error", "message": "dlp.pii_blocked", "timestamp": iso_hours_from_now(0),
    })
}

fn log_with(key: &str, value: Value) -> Value {
    let mut log = log();
    log[key] = value;
    log
}

#[tokio::test]
async fn an_array_and_a_single_log_are_taken() {
    let lab = datadog().await;
    let answer = send(&lab, json!([log(), log()]).to_string()).await;
    assert_eq!((answer.status, answer.json()), (202, json!({})));
    assert_eq!(send(&lab, log().to_string()).await.status, 202);
    assert_eq!(lab.taken_whole(), 3);
    assert_eq!(lab.receiver.received()[0].record["service"], "gateway");
}

#[tokio::test]
async fn every_compression_that_datadog_takes_is_decoded() {
    let lab = datadog().await;
    let plain = json!([log()]).to_string().into_bytes();
    let bodies = [
        ("gzip", gzip(&plain)),
        ("deflate", deflate(&plain)),
        ("zstd", zstd::encode_all(plain.as_slice(), 1).unwrap()),
        ("identity", plain.clone()),
    ];
    for (encoding, body) in bodies {
        let request = logs_request(&lab).header(CONTENT_ENCODING, encoding).body(body);
        assert_eq!(reply(request).await.status, 202, "{encoding}");
    }
    assert_eq!(lab.taken_whole(), 4);
    let request = logs_request(&lab).header(CONTENT_ENCODING, "br").body(plain);
    assert_eq!(reply(request).await.status, 415);
}

#[tokio::test]
async fn a_missing_key_is_401_and_a_wrong_one_403() {
    let lab = datadog().await;
    let url = lab.url("/api/v2/logs");
    let missing = reply(lab.client.post(&url).body("[]")).await;
    assert_eq!((missing.status, &missing.json()["errors"][0]["status"]), (401, &json!("401")));
    let wrong = reply(lab.client.post(&url).header("DD-API-KEY", "wrong").body("[]")).await;
    assert_eq!((wrong.status, &wrong.json()["errors"][0]["title"]), (403, &json!("Forbidden")));
    let in_query = lab.client.post(format!("{url}?dd-api-key={API_KEY}")).body("[]");
    assert_eq!(reply(in_query).await.status, 401);
}

#[tokio::test]
async fn a_wrong_path_or_method_is_refused() {
    let lab = datadog().await;
    assert_eq!(reply(lab.client.post(lab.url("/api/v1/logs"))).await.status, 404);
    let answer = reply(lab.client.get(lab.url("/api/v2/logs"))).await;
    assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "POST"));
}

#[tokio::test]
async fn a_malformed_body_is_refused_whole() {
    let lab = datadog().await;
    for body in ["", "text", "[{}", "[{}] x", "[{},1]", "\"text\"", "[{\"message\":\"\u{1}\"}]"] {
        assert_eq!(send(&lab, body).await.status, 400, "{body}");
    }
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn a_thousand_logs_are_taken_and_one_more_is_refused() {
    let lab = datadog().await;
    assert_eq!(send(&lab, Value::from(vec![log(); 1_000]).to_string()).await.status, 202);
    assert_eq!(send(&lab, Value::from(vec![log(); 1_001]).to_string()).await.status, 400);
    assert_eq!(lab.taken_whole(), 1_000);
}

#[tokio::test]
async fn more_than_five_megabytes_are_refused_however_well_they_compress() {
    let lab = datadog().await;
    let large = Value::from(vec![log_with("text", json!("x".repeat(900_000))); 6]).to_string();
    assert_eq!(send(&lab, large.clone()).await.status, 413);
    let zipped = logs_request(&lab).header(CONTENT_ENCODING, "gzip").body(gzip(large.as_bytes()));
    assert_eq!(reply(zipped).await.status, 413);
}

#[tokio::test]
async fn a_log_over_one_megabyte_is_accepted_truncated_and_noted() {
    let lab = datadog().await;
    let body = json!([log(), log_with("text", json!("é".repeat(600_000)))]).to_string();
    assert_eq!(send(&lab, body).await.status, 202);
    assert!(lab.reasons()[0].contains("truncated"), "{:?}", lab.reasons());
    assert_eq!(lab.receiver.violations()[0].item, 1);
    assert!(lab.receiver.received()[1].record.is_string());
}

#[tokio::test]
async fn a_log_older_than_eighteen_hours_is_accepted_dropped_and_noted() {
    let lab = datadog().await;
    let old = log_with("timestamp", json!(iso_hours_from_now(-19)));
    let seconds = log_with("timestamp", json!(1_780_949_730));
    let fresh = log_with("timestamp", json!(iso_hours_from_now(-17)));
    assert_eq!(send(&lab, json!([old, seconds, fresh]).to_string()).await.status, 202);
    let reasons = lab.reasons();
    assert_eq!(reasons.len(), 2);
    assert!(reasons.iter().all(|reason| reason.contains("older than 18 hours")), "{reasons:?}");
    assert_eq!(lab.receiver.received().len(), 1);
}

#[tokio::test]
async fn what_datadog_shows_wrongly_is_a_violation() {
    let cases = [
        ("ddtags", json!(["env:test"]), "'ddtags'"),
        ("message", json!(""), "'message'"),
        ("status", json!("high"), "shows as info"),
        ("timestamp", json!("yesterday"), "the time is lost"),
    ];
    for (key, value, reason) in cases {
        let lab = datadog().await;
        assert_eq!(send(&lab, json!([log_with(key, value)]).to_string()).await.status, 202);
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(reason)), "{key}: {reasons:?}");
    }
}

#[tokio::test]
async fn a_severity_word_alone_shows_as_info() {
    let lab = datadog().await;
    let mut log = log_with("severity", json!("high"));
    log.as_object_mut().unwrap().remove("status");
    send(&lab, json!([log]).to_string()).await;
    assert!(lab.reasons()[0].contains("severity \"high\" shows as info"));
}

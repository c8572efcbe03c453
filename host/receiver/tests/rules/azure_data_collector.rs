use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use ring::hmac;
use serde_json::{Value, json};
use siemaphore_receiver::{ReceiverConfig, Siem};

use crate::support::{Lab, Reply, gzip, iso_hours_from_now, reply};

const WORKSPACE: &str = "01234567-89ab-cdef-0123-456789abcdef";
/// The bytes 00 to 3f.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

async fn collector() -> Lab {
    Lab::start(Siem::azure_data_collector(WORKSPACE, KEY)).await
}

fn signature(length: usize, date: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(KEY).expect("base64"));
    let text = format!("POST\n{length}\napplication/json\nx-ms-date:{date}\n/api/logs");
    STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

fn signed_at(lab: &Lab, body: &str, at: SystemTime) -> RequestBuilder {
    let date = httpdate::fmt_http_date(at);
    let authorization = format!("SharedKey {WORKSPACE}:{}", signature(body.len(), &date));
    let request = lab.client.post(lab.url("/api/logs?api-version=2016-04-01")).body(body.to_owned());
    request.header("x-ms-date", date).header(AUTHORIZATION, authorization)
}

fn post(lab: &Lab, body: &str) -> RequestBuilder {
    let request = signed_at(lab, body, SystemTime::now()).header(CONTENT_TYPE, "application/json");
    request.header("Log-Type", "AiEvents").header("time-generated-field", "EventTime")
}

async fn send(lab: &Lab, body: &Value) -> Reply {
    reply(post(lab, &body.to_string())).await
}

fn now() -> String {
    let whole = iso_hours_from_now(0);
    whole.get(..19).map_or_else(|| whole.clone(), |seconds| format!("{seconds}Z"))
}

fn row() -> Value {
    json!({ "EventTime": now(), "EventType": "dlp.pii_blocked", "User": "José", "count": 3, "blocked": true })
}

fn row_with(name: &str, value: Value) -> Value {
    let mut row = row();
    row[name] = value;
    row
}

fn code(reply: &Reply) -> (u16, Value) {
    (reply.status, reply.json()["Error"].clone())
}

/// The figures of the documented algorithm, computed apart from this code: 48 bytes in 47 characters.
#[test]
fn the_signature_is_over_the_length_in_bytes() {
    let body = r#"[{"EventType":"dlp.pii_blocked","User":"José"}]"#;
    let signature = signature(body.len(), "Mon, 04 Apr 2016 08:00:00 GMT");
    assert_eq!(signature, "TjBlfflLRfSTlIKGP4BIQc0A1dmGOEVcZj4Cd37H1zE=");
}

#[tokio::test]
async fn signed_rows_are_taken() {
    let lab = collector().await;
    let answer = send(&lab, &json!([row(), row()])).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(send(&lab, &row()).await.status, 200);
    assert_eq!(lab.taken_whole(), 3);
}

#[tokio::test]
async fn another_signature_workspace_or_time_is_refused() {
    let lab = collector().await;
    let body = json!([row()]).to_string();
    let request = |at| {
        let request = signed_at(&lab, &body, at).header(CONTENT_TYPE, "application/json");
        request.header("Log-Type", "AiEvents").header("time-generated-field", "EventTime")
    };
    for at in [SystemTime::now() - Duration::from_secs(1_000), SystemTime::now() + Duration::from_secs(1_000)]
    {
        assert_eq!(code(&reply(request(at)).await), (403, json!("InvalidAuthorization")));
    }
    let longer = request(SystemTime::now()).body(format!("{body} "));
    assert_eq!(code(&reply(longer).await), (403, json!("InvalidAuthorization")));
    let other = Lab::start(Siem::azure_data_collector("another-workspace", KEY)).await;
    assert_eq!(code(&send(&other, &json!([row()])).await), (403, json!("InvalidAuthorization")));
    let unsigned = lab.client.post(lab.url("/api/logs?api-version=2016-04-01")).body(body.clone());
    let unsigned = unsigned.header(CONTENT_TYPE, "application/json").header("Log-Type", "AiEvents");
    assert_eq!(reply(unsigned).await.status, 403);
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn a_request_without_what_it_needs_is_refused_by_name() {
    let lab = collector().await;
    let signed = || signed_at(&lab, "[]", SystemTime::now());
    let json = || signed().header(CONTENT_TYPE, "application/json");
    for (request, expected) in [
        (signed(), "MissingContentType"),
        (signed().header(CONTENT_TYPE, "application/json; charset=utf-8"), "UnsupportedContentType"),
        (json(), "MissingLogType"),
        (json().header("Log-Type", "Ai-Events"), "InvalidLogType"),
        (json().header("Log-Type", "x".repeat(101)), "InvalidLogType"),
        (lab.client.post(lab.url("/api/logs")), "MissingApiVersion"),
        (lab.client.post(lab.url("/api/logs?api-version=2023-01-01")), "InvalidApiVersion"),
    ] {
        assert_eq!(code(&reply(request).await), (400, json!(expected)));
    }
    let get = reply(lab.client.get(lab.url("/api/logs"))).await;
    assert_eq!((get.status, get.headers["allow"].to_str().expect("text")), (405, "POST"));
    assert_eq!(reply(lab.client.post(lab.url("/api/logs/api/logs"))).await.status, 404);
}

#[tokio::test]
async fn malformed_rows_and_reserved_names_are_refused_whole() {
    let lab = collector().await;
    for body in [
        "text".to_owned(),
        "[1]".to_owned(),
        json!([row(), row_with("TimeGenerated", json!("x"))]).to_string(),
        json!([row(), row_with("tenant", json!("x"))]).to_string(),
        json!([row(), row_with("RawData", json!("x"))]).to_string(),
    ] {
        assert_eq!(code(&reply(post(&lab, &body)).await), (400, json!("InvalidDataFormat")), "{body}");
    }
    let zipped = post(&lab, "[]").header(CONTENT_ENCODING, "gzip").body(gzip(b"[]"));
    assert_eq!(reply(zipped).await.status, 400);
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn what_the_api_changes_without_a_word_is_a_violation() {
    let forty_four = "n".repeat(44);
    for (name, value, reason) in [
        ("EventTime", json!("2026-06-08T20:15:30.123Z"), "not of the form"),
        ("EventTime", json!("2020-01-01T00:00:00Z"), "time of arrival"),
        ("EventTime", json!(1), "not of the form"),
        ("user.id", json!("x"), "cannot be a column"),
        (forty_four.as_str(), json!("x"), "cannot be a column"),
        ("text", json!("x".repeat(32_001)), "truncated"),
        ("list", json!([1]), "no text, number or boolean"),
    ] {
        let lab = collector().await;
        assert_eq!(send(&lab, &json!([row(), row_with(name, value)])).await.status, 200);
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(reason)), "{name}: {reasons:?}");
    }
    let lab = collector().await;
    let mut wide = row();
    for number in 0..46 {
        wide[format!("field{number}")] = json!(number);
    }
    assert_eq!(send(&lab, &wide).await.status, 200);
    assert!(lab.reasons()[0].contains("51 properties"), "{:?}", lab.reasons());
}

#[tokio::test]
async fn a_request_that_is_too_large_is_not_found() {
    let config = ReceiverConfig { max_body_bytes: Some(10_000), ..ReceiverConfig::default() };
    let lab = Lab::start_with(Siem::azure_data_collector(WORKSPACE, KEY), config).await;
    let large = json!([row_with("text", json!("x".repeat(10_000)))]);
    assert_eq!(send(&lab, &large).await.status, 404);
}

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Map, Value, json};
use siemaphore_receiver::Siem;

use crate::support::{Lab, Reply, gzip, reply};

const LICENSE_KEY: &str = "eu01xx0123456789abcdef0123456789abcdNRAL";

async fn newrelic() -> Lab {
    Lab::start(Siem::newrelic(LICENSE_KEY)).await
}

fn request(lab: &Lab) -> RequestBuilder {
    lab.client
        .post(lab.url("/log/v1"))
        .header("Api-Key", LICENSE_KEY)
        .header(CONTENT_TYPE, "application/json")
}

async fn send(lab: &Lab, log: &Value) -> Reply {
    reply(request(lab).body(json!([{ "logs": [log] }]).to_string())).await
}

fn ms_hours_ago(hours: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    (now - hours * 3_600) * 1_000
}

fn log_with(attributes: Value) -> Value {
    json!({ "timestamp": ms_hours_ago(0), "message": "dlp.pii_blocked", "attributes": attributes })
}

#[tokio::test]
async fn blocks_of_logs_are_taken_plain_and_zipped() {
    let lab = newrelic().await;
    let log = log_with(json!({ "level": "error", "deep": { "er": true }, "n": 1.5 }));
    let body = json!([{ "common": { "attributes": { "a": "b" } }, "logs": [log, log] }, { "logs": [log] }])
        .to_string();
    let answer = reply(request(&lab).body(body.clone())).await;
    assert_eq!((answer.status, answer.json()["requestId"].is_string()), (202, true));
    let zipped = request(&lab).header(CONTENT_ENCODING, "gzip").body(gzip(body.as_bytes()));
    assert_eq!(reply(zipped).await.status, 202);
    assert_eq!(lab.taken_whole(), 6);
}

#[tokio::test]
async fn key_path_method_and_content_type_have_to_be_right() {
    let lab = newrelic().await;
    let url = lab.url("/log/v1");
    assert_eq!(reply(lab.client.post(&url).body("[]")).await.status, 403);
    assert_eq!(reply(lab.client.post(&url).header("Api-Key", "NRAK-WRONG").body("[]")).await.status, 403);
    assert_eq!(reply(lab.client.post(lab.url("/v1/logs")).body("[]")).await.status, 404);
    assert_eq!(reply(lab.client.get(&url)).await.status, 405);
    assert_eq!(reply(lab.client.post(&url).header("Api-Key", LICENSE_KEY).body("[]")).await.status, 415);
    assert_eq!(reply(request(&lab).header(CONTENT_ENCODING, "deflate").body("[]")).await.status, 415);
}

#[tokio::test]
async fn a_million_bytes_are_taken_and_one_more_is_not() {
    let lab = newrelic().await;
    let logs = vec![log_with(json!({ "text": "x".repeat(99_000) })); 10];
    let mut body = json!([{ "logs": logs }]).to_string();
    body.push_str(&" ".repeat(1_000_000 - body.len()));
    assert_eq!(reply(request(&lab).body(body.clone())).await.status, 202);
    assert_eq!(lab.taken_whole(), 10);
    body.push(' ');
    assert_eq!(reply(request(&lab).body(body)).await.status, 413);
}

#[tokio::test]
async fn a_payload_that_cannot_be_read_is_accepted_dropped_and_noted() {
    for body in ["text", "{}", r#"[{"common":{}}]"#, r#"[{"logs":[{}]"#] {
        let lab = newrelic().await;
        assert_eq!(reply(request(&lab).body(body)).await.status, 202, "{body}");
        assert!(lab.reasons()[0].starts_with("the payload is dropped"), "{body}: {:?}", lab.reasons());
        assert_eq!(lab.receiver.received().len(), 0);
    }
}

#[tokio::test]
async fn what_new_relic_takes_and_spoils_is_a_violation() {
    let many: Map<String, Value> = (0..254).map(|number| (format!("a{number}"), json!(1))).collect();
    let cases = [
        (log_with(json!({ "list": ["a"] })), "'list' is a list"),
        (log_with(json!({ "deep": { "list": [] } })), "'deep.list' is a list"),
        (log_with(json!({ "accountId": 1 })), "'accountId' is reserved"),
        (log_with(json!({ "entity": { "guid": "x" } })), "'entity.guid' is reserved"),
        (log_with(json!({ "instrumentation.name": "x" })), "is reserved"),
        (log_with(json!({ "x".repeat(256): 1 })), "name has 256 characters"),
        (log_with(json!({ "text": "x".repeat(128_001) })), "cut at 128000"),
        (log_with(Value::Object(many)), "256 attributes are over 255"),
        (json!({ "message": "m" }), "the time of arrival counts"),
        (json!({ "message": "m", "timestamp": "2026-06-08T20:15:30Z" }), "the time of arrival counts"),
        (json!({ "timestamp": ms_hours_ago(0) }), "no 'message'"),
        (json!({ "timestamp": ms_hours_ago(0), "message": "{\"a\":1}" }), "taken apart"),
    ];
    for (log, reason) in cases {
        let lab = newrelic().await;
        assert_eq!(send(&lab, &log).await.status, 202);
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(reason)), "{reason}: {reasons:?}");
        assert_eq!(lab.receiver.received().len(), 1, "{reason}");
    }
}

#[tokio::test]
async fn logs_older_than_two_days_are_accepted_and_dropped() {
    let lab = newrelic().await;
    for (time, kept) in [
        (ms_hours_ago(49), 0),
        (ms_hours_ago(49) / 1_000, 0),
        (ms_hours_ago(47), 1),
        (ms_hours_ago(47) / 1_000, 2),
    ] {
        assert_eq!(send(&lab, &json!({ "timestamp": time, "message": "m" })).await.status, 202);
        assert_eq!(lab.receiver.received().len(), kept, "{time}");
    }
    assert_eq!(lab.reasons(), ["older than 48 hours: dropped"; 2]);
}

#[tokio::test]
async fn a_repeated_key_is_noted() {
    let lab = newrelic().await;
    let log = format!(r#"[{{"logs":[{{"timestamp":{},"message":"m","message":"n"}}]}}]"#, ms_hours_ago(0));
    assert_eq!(reply(request(&lab).body(log)).await.status, 202);
    assert_eq!(lab.reasons(), ["key 'message' appears twice in one object"]);
}

use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};
use siemaphore_receiver::{ReceiverConfig, Siem};

use crate::support::{Lab, Reply, gzip, reply};

const TOKEN: &str = "0123456789abcdef";

async fn otlp() -> Lab {
    Lab::start(Siem::otlp(TOKEN)).await
}

fn logs_request(lab: &Lab) -> RequestBuilder {
    let request = lab.client.post(lab.url("/v1/logs")).bearer_auth(TOKEN);
    request.header(CONTENT_TYPE, "application/json")
}

async fn send(lab: &Lab, body: impl Into<reqwest::Body>) -> Reply {
    reply(logs_request(lab).body(body)).await
}

fn log_record() -> Value {
    json!({
        "timeUnixNano": "1780949730000000000", "observedTimeUnixNano": "1780949731000000000",
        "severityNumber": 17, "severityText": "high", "eventName": "dlp.pii_blocked",
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7",
        "body": { "stringValue": "PII blocked" },
        "attributes": [
            { "key": "event.id", "value": { "stringValue": "evt_1" } },
            { "key": "tokens", "value": { "intValue": "1250" } },
            { "key": "list", "value": { "arrayValue": { "values": [{ "boolValue": true }, {}] } } },
            { "key": "map", "value": { "kvlistValue": { "values": [
                { "key": "cost", "value": { "doubleValue": 0.5 } },
            ] } } },
        ],
    })
}

fn log_record_with(key: &str, value: Value) -> Value {
    let mut record = log_record();
    record[key] = value;
    record
}

fn logs(records: &[Value]) -> String {
    let service = json!({ "key": "service.name", "value": { "stringValue": "aisg" } });
    json!({ "resourceLogs": [{
        "resource": { "attributes": [service] },
        "scopeLogs": [{ "scope": { "name": "siemaphore" }, "logRecords": records }],
    }] })
    .to_string()
}

#[tokio::test]
async fn log_records_are_taken_with_their_resource() {
    let lab = otlp().await;
    let answer = send(&lab, logs(&[log_record(), log_record()])).await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    let zipped = gzip(logs(&[log_record()]).as_bytes());
    assert_eq!(reply(logs_request(&lab).header(CONTENT_ENCODING, "gzip").body(zipped)).await.status, 200);
    assert_eq!(lab.taken_whole(), 3);
    let record = &lab.receiver.received()[0].record;
    assert_eq!(record["logRecord"]["eventName"], "dlp.pii_blocked");
    assert_eq!(record["resource"]["attributes"][0]["value"]["stringValue"], "aisg");
}

#[tokio::test]
async fn an_empty_request_is_a_success() {
    let lab = otlp().await;
    for body in ["{}", r#"{"resourceLogs":[]}"#] {
        assert_eq!(send(&lab, body).await.status, 200, "{body}");
    }
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn a_wrong_token_path_method_or_content_type_is_refused() {
    let lab = otlp().await;
    let url = lab.url("/v1/logs");
    let missing = reply(lab.client.post(&url).header(CONTENT_TYPE, "application/json").body("{}")).await;
    assert_eq!((missing.status, missing.json()["code"].clone()), (401, json!(16)));
    let wrong = lab.client.post(&url).bearer_auth("wrong").header(CONTENT_TYPE, "application/json");
    assert_eq!(reply(wrong.body("{}")).await.status, 401);
    assert_eq!(reply(lab.client.post(lab.url("/v1/logs/v1/logs")).bearer_auth(TOKEN)).await.status, 404);
    let get = reply(lab.client.get(&url).bearer_auth(TOKEN)).await;
    assert_eq!((get.status, get.headers["allow"].to_str().unwrap()), (405, "POST"));
    let protobuf = lab.client.post(&url).bearer_auth(TOKEN).header(CONTENT_TYPE, "application/x-protobuf");
    assert_eq!(reply(protobuf.body("")).await.status, 415);
}

#[tokio::test]
async fn what_the_protobuf_types_cannot_hold_is_refused_whole() {
    let lab = otlp().await;
    let attribute = |value: Value| json!([{ "key": "a", "value": value }]);
    for (key, value) in [
        ("timeUnixNano", json!("yesterday")),
        ("timeUnixNano", json!(1.5)),
        ("severityNumber", json!("SEVERITY_NUMBER_ERROR")),
        ("severityNumber", json!(25)),
        ("severityText", json!(7)),
        ("traceId", json!("4bf9")),
        ("spanId", json!("00f067aa0ba902bx")),
        ("body", json!("PII blocked")),
        ("body", json!({ "stringValue": 7 })),
        ("attributes", json!({ "a": 1 })),
        ("attributes", attribute(json!({ "intValue": "9223372036854775808" }))),
        ("attributes", attribute(json!({ "boolValue": true, "stringValue": "x" }))),
        ("attributes", attribute(json!({ "arrayValue": [1] }))),
    ] {
        let answer = send(&lab, logs(&[log_record(), log_record_with(key, value.clone())])).await;
        assert_eq!((answer.status, answer.json()["code"].clone()), (400, json!(3)), "{key} {value}");
    }
    for body in ["", "[]", "x", "{} {}", r#"{"resourceLogs":{}}"#] {
        assert_eq!(send(&lab, body).await.status, 400, "{body}");
    }
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn what_readers_ignore_or_lose_is_a_violation() {
    let twice = json!([
        { "key": "a", "value": { "stringValue": "x" } }, { "key": "a", "value": { "stringValue": "y" } },
    ]);
    for (key, value, reason) in [
        ("time_unix_nano", json!("1"), "'time_unix_nano' in a log record is ignored"),
        ("timeUnixNano", json!(1_780_949_730_000_000_000_u64), "last digits"),
        ("timeUnixNano", json!("0"), "unknown"),
        ("attributes", json!([{ "key": "a", "value": { "int_value": "1" } }]), "'int_value'"),
        ("attributes", json!([{ "key": "a", "value": { "intValue": 1 } }]), "intValue is a number"),
        ("attributes", json!([{ "key": "", "value": {} }]), "no key"),
        ("attributes", twice, "comes twice"),
    ] {
        let lab = otlp().await;
        assert_eq!(send(&lab, logs(&[log_record(), log_record_with(key, value)])).await.status, 200);
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(reason)), "{key}: {reasons:?}");
        assert_eq!(lab.receiver.violations()[0].item, 1);
    }
}

#[tokio::test]
async fn a_resource_without_a_service_is_a_violation() {
    let lab = otlp().await;
    let body =
        json!({ "resourceLogs": [{ "resource": {}, "scopeLogs": [{ "logRecords": [log_record()] }] }] });
    assert_eq!(send(&lab, body.to_string()).await.status, 200);
    assert!(lab.reasons()[0].contains("unknown_service"));
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused_however_well_it_compresses() {
    let config = ReceiverConfig { max_body_bytes: Some(100_000), ..ReceiverConfig::default() };
    let lab = Lab::start_with(Siem::otlp(TOKEN), config).await;
    let large = logs(&[log_record_with("severityText", json!("x".repeat(100_000)))]);
    assert_eq!(send(&lab, large.clone()).await.status, 413);
    let zipped = logs_request(&lab).header(CONTENT_ENCODING, "gzip").body(gzip(large.as_bytes()));
    assert_eq!(reply(zipped).await.status, 413);
}

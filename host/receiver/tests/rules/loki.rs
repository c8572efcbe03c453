use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};
use siemaphore_receiver::Siem;

use crate::support::{Lab, Reply, gzip, reply};

const USER: &str = "123456";
const TOKEN: &str = "glc_example";

async fn loki() -> Lab {
    Lab::start(Siem::loki(USER, TOKEN)).await
}

fn request(lab: &Lab) -> RequestBuilder {
    lab.client
        .post(lab.url("/loki/api/v1/push"))
        .basic_auth(USER, Some(TOKEN))
        .header(CONTENT_TYPE, "application/json")
}

async fn send(lab: &Lab, body: &Value) -> Reply {
    reply(request(lab).body(body.to_string())).await
}

/// Nanoseconds, so many minutes before now.
fn minutes_ago(minutes: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let seconds = i64::try_from(now).expect("a clock of our age") - minutes * 60;
    format!("{seconds}000000000")
}

fn push(lines: Value) -> Value {
    json!({ "streams": [{ "stream": { "service_name": "gw" }, "values": lines }] })
}

#[tokio::test]
async fn lines_with_and_without_metadata_are_taken_plain_and_zipped() {
    let lab = loki().await;
    let now = minutes_ago(0);
    let answer = send(&lab, &push(json!([[now, "a"], [now, "b", { "event_key": "k" }]]))).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let body = gzip(push(json!([[now, "c"]])).to_string().as_bytes());
    assert_eq!(reply(request(&lab).header(CONTENT_ENCODING, "gzip").body(body)).await.status, 204);
    assert_eq!(lab.taken_whole(), 3);
    let record = &lab.receiver.received()[1].record;
    assert_eq!((&record["line"], &record["metadata"]["event_key"]), (&json!("b"), &json!("k")));
    assert_eq!((&record["stream"]["service_name"], &record["time_ns"]), (&json!("gw"), &json!(now)));
}

#[tokio::test]
async fn credentials_path_method_and_content_type_have_to_be_right() {
    let lab = loki().await;
    let url = lab.url("/loki/api/v1/push");
    assert_eq!(reply(lab.client.post(&url)).await.status, 401);
    assert_eq!(reply(lab.client.post(&url).basic_auth(USER, Some("wrong"))).await.status, 401);
    assert_eq!(reply(lab.client.post(&url).bearer_auth(TOKEN)).await.status, 401);
    assert_eq!(reply(lab.client.post(lab.url("/api/v1/push"))).await.status, 404);
    assert_eq!(reply(lab.client.get(&url).basic_auth(USER, Some(TOKEN))).await.status, 405);
    let protobuf = lab.client.post(&url).basic_auth(USER, Some(TOKEN)).body("{}");
    assert_eq!(reply(protobuf).await.status, 400);
}

#[tokio::test]
async fn a_malformed_request_is_refused_whole() {
    let lab = loki().await;
    let now = minutes_ago(0);
    let number: Value = serde_json::from_str(&now).unwrap();
    for body in [
        json!([]),
        json!({ "streams": [{ "stream": {} }] }),
        push(json!([[now, "good"], [number, "a"]])),
        push(json!([[now, "good"], [now, 7]])),
        push(json!([[now, "good"], [now, "a", { "number": 7 }]])),
        push(json!([[now, "good"], [now, "a", { "nested": {} }]])),
        push(json!([[now, "good"], ["yesterday", "a"]])),
    ] {
        assert_eq!(send(&lab, &body).await.status, 400, "{body}");
    }
    assert_eq!(send(&lab, &json!({ "streams": [] })).await.status, 422);
    let repeated = r#"{"streams":[{"stream":{"a":"1","a":"2"},"values":[]}]}"#;
    assert_eq!(reply(request(&lab).body(repeated)).await.status, 400);
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn a_bad_line_is_refused_and_the_good_ones_are_stored() {
    let long = "x".repeat(262_145);
    for (line, words) in [
        (json!([minutes_ago(0), long]), "max entry size '262144' bytes exceeded"),
        (json!([minutes_ago(169 * 60), "old"]), "has timestamp too old"),
        (json!([minutes_ago(-11), "new"]), "has timestamp too new"),
        (json!([minutes_ago(0), "meta", { "a": "x".repeat(65_536) }]), "structured metadata too large"),
    ] {
        let lab = loki().await;
        let now = minutes_ago(0);
        let answer = send(&lab, &push(json!([[now, "before"], line, [now, "after"]]))).await;
        assert_eq!(answer.status, 400, "{words}");
        assert!(answer.text.contains(words), "{}", answer.text);
        assert_eq!(lab.taken_whole(), 2, "{words}");
    }
}

#[tokio::test]
async fn a_line_an_hour_behind_its_stream_is_too_late_but_not_for_another_stream() {
    let lab = loki().await;
    assert_eq!(
        send(&lab, &push(json!([[minutes_ago(0), "now"], [minutes_ago(59), "before"]]))).await.status,
        204
    );
    let late = send(&lab, &push(json!([[minutes_ago(61), "late"]]))).await;
    assert_eq!(late.status, 400);
    assert!(late.text.contains("entry too far behind"), "{}", late.text);
    let other = json!({ "streams": [{ "stream": { "a": "b" }, "values": [[minutes_ago(61), "late"]] }] });
    assert_eq!(send(&lab, &other).await.status, 204);
    assert_eq!(lab.taken_whole(), 3);
}

#[tokio::test]
async fn a_line_that_is_there_already_is_not_stored_again() {
    let lab = loki().await;
    let body = push(json!([[minutes_ago(0), "a"], [minutes_ago(0), "b"]]));
    assert_eq!(send(&lab, &body).await.status, 204);
    assert_eq!(send(&lab, &body).await.status, 204);
    assert_eq!(lab.taken_whole(), 2);
}

#[tokio::test]
async fn labels_have_rules() {
    let many: serde_json::Map<String, Value> =
        (0..16).map(|number| (format!("a{number}"), json!("x"))).collect();
    for (labels, words) in [
        (json!({}), "at least one label"),
        (Value::Object(many), "16 label names; limit 15"),
        (json!({ "service.name": "x" }), "is no label name"),
        (json!({ "1a": "x" }), "is no label name"),
        (json!({ "a".repeat(1_025): "x" }), "label name too long"),
        (json!({ "a": "x".repeat(2_049) }), "label value too long"),
    ] {
        let lab = loki().await;
        let body = json!({ "streams": [{ "stream": labels, "values": [[minutes_ago(0), "a"]] }] });
        let answer = send(&lab, &body).await;
        assert_eq!(answer.status, 400, "{words}");
        assert!(answer.text.contains(words), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_request_over_the_burst_is_refused_however_often_it_comes() {
    let lab = loki().await;
    let now = minutes_ago(0);
    let lines: Vec<Value> =
        (0..25).map(|number| json!([now, format!("{number}{}", "x".repeat(250_000))])).collect();
    for _ in 0..2 {
        let answer = send(&lab, &push(json!(lines))).await;
        assert_eq!(answer.status, 429);
        assert!(answer.text.contains("(limit: 4194304 bytes/sec)"), "{}", answer.text);
    }
    assert_eq!(send(&lab, &push(json!(lines[..20]))).await.status, 204);
    assert_eq!(lab.taken_whole(), 20);
}

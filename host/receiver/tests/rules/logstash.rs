use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};
use siemaphore_receiver::{ReceiverConfig, Siem};

use crate::support::{Lab, Reply, deflate, gzip, reply};

const USER: &str = "siemaphore";
const PASSWORD: &str = "example";

async fn logstash() -> Lab {
    Lab::start(Siem::logstash(USER, PASSWORD)).await
}

fn request(lab: &Lab) -> RequestBuilder {
    lab.client.post(lab.url("/")).basic_auth(USER, Some(PASSWORD)).header(CONTENT_TYPE, "application/json")
}

async fn send(lab: &Lab, body: &Value) -> Reply {
    reply(request(lab).body(body.to_string())).await
}

fn event() -> Value {
    json!({ "@timestamp": "2026-06-08T20:15:30Z", "event_type": "dlp.pii_blocked" })
}

#[tokio::test]
async fn an_array_and_a_single_event_are_taken_on_every_path() {
    let lab = logstash().await;
    let answer = send(&lab, &json!([event(), event()])).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));
    assert_eq!(send(&lab, &event()).await.status, 200);
    let elsewhere = lab.client.post(lab.url("/some/where")).basic_auth(USER, Some(PASSWORD));
    let elsewhere = elsewhere.header(CONTENT_TYPE, "application/json").body(event().to_string());
    assert_eq!(reply(elsewhere).await.status, 200);
    assert_eq!(lab.taken_whole(), 4);
    assert_eq!(lab.receiver.received()[0].record["event_type"], "dlp.pii_blocked");
}

#[tokio::test]
async fn compressed_bodies_are_decoded() {
    let lab = logstash().await;
    let plain = event().to_string();
    for (encoding, body) in [("gzip", gzip(plain.as_bytes())), ("deflate", deflate(plain.as_bytes()))] {
        let sent = reply(request(&lab).header(CONTENT_ENCODING, encoding).body(body)).await;
        assert_eq!(sent.status, 200, "{encoding}");
    }
    assert_eq!(lab.taken_whole(), 2);
    assert_eq!(reply(request(&lab).header(CONTENT_ENCODING, "gzip").body(plain)).await.status, 400);
}

#[tokio::test]
async fn credentials_are_asked_for() {
    let lab = logstash().await;
    let missing = reply(lab.client.post(lab.url("/")).body("{}")).await;
    assert_eq!(missing.status, 401);
    assert!(missing.headers.contains_key("www-authenticate"));
    let wrong = reply(lab.client.post(lab.url("/")).basic_auth(USER, Some("wrong")).body("{}")).await;
    assert_eq!((wrong.status, wrong.headers.contains_key("www-authenticate")), (401, false));
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn what_is_not_json_is_ok_to_logstash_and_a_violation() {
    let lab = logstash().await;
    assert_eq!(reply(request(&lab).body("[{}")).await.text, "ok");
    let plain = lab.client.post(lab.url("/")).basic_auth(USER, Some(PASSWORD)).body(event().to_string());
    assert_eq!(reply(plain).await.text, "ok");
    let got = lab.client.get(lab.url("/")).basic_auth(USER, Some(PASSWORD));
    assert_eq!(reply(got).await.text, "ok");
    let reasons = lab.reasons();
    assert_eq!(reasons.len(), 3);
    for (reason, words) in reasons.iter().zip(["_jsonparsefailure", "becomes one message", "without a body"])
    {
        assert!(reason.contains(words), "{reason}");
    }
    assert_eq!(lab.receiver.received()[0].record["message"], "[{}");
}

#[tokio::test]
async fn what_an_event_loses_on_the_way_is_a_violation() {
    for (name, value, words) in [
        ("@timestamp", json!("yesterday"), "_timestampparsefailure"),
        ("@timestamp", json!(1_780_949_730), "_timestampparsefailure"),
        ("tags", json!({ "a": 1 }), "_tagsparsefailure"),
        ("tags", json!(["a", 1]), "_tagsparsefailure"),
        ("@metadata", json!({}), "goes into no output"),
        ("@version", json!(1), "Logstash's own"),
        ("host", json!("gw-1"), "'host' is no object"),
        ("event", json!(["x"]), "'event' is no object"),
    ] {
        let lab = logstash().await;
        let mut event = event();
        event[name] = value;
        assert_eq!(send(&lab, &json!([event])).await.text, "ok");
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(words)), "{name}: {reasons:?}");
    }
    let lab = logstash().await;
    send(&lab, &json!([7, {}])).await;
    assert_eq!(
        lab.reasons(),
        ["an event is no object: dropped", "no @timestamp: the time of arrival counts"]
    );
    let repeated = r#"{"@timestamp":"2026-06-08T20:15:30Z","a":1,"a":2}"#;
    let lab = logstash().await;
    reply(request(&lab).body(repeated)).await;
    assert_eq!(lab.reasons(), ["key 'a' appears twice in one object"]);
}

#[tokio::test]
async fn more_than_the_content_length_is_refused() {
    let config = ReceiverConfig { max_body_bytes: Some(100), ..ReceiverConfig::default() };
    let lab = Lab::start_with(Siem::logstash(USER, PASSWORD), config).await;
    assert_eq!(send(&lab, &json!([event()])).await.status, 200);
    assert_eq!(send(&lab, &json!([event(), event()])).await.status, 413);
}

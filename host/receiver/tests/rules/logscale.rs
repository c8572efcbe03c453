use reqwest::RequestBuilder;
use reqwest::header::CONTENT_ENCODING;
use serde_json::{Value, json};
use siemaphore_receiver::{ReceiverConfig, Siem};

use crate::support::{Lab, Reply, gzip, reply};

const TOKEN: &str = "b7b8c1a0-ingest-token";

async fn logscale() -> Lab {
    Lab::start(Siem::logscale(TOKEN, "ai-security")).await
}

fn request(lab: &Lab) -> RequestBuilder {
    lab.client.post(lab.url("/services/collector")).bearer_auth(TOKEN)
}

async fn send(lab: &Lab, body: impl Into<reqwest::Body>) -> Reply {
    reply(request(lab).body(body)).await
}

fn event() -> Value {
    json!({ "time": 1_780_949_730.5, "host": "gw", "source": "aisg", "event": { "event": { "action": "x" } } })
}

fn event_with(key: &str, value: Value) -> Value {
    let mut event = event();
    event[key] = value;
    event
}

#[tokio::test]
async fn objects_apart_by_white_space_are_taken_on_both_paths() {
    let lab = logscale().await;
    let body = format!("{}\n{} {}", event(), event(), event_with("event", json!("text")));
    let answer = send(&lab, body).await;
    assert_eq!((answer.status, &answer.json()["code"]), (200, &json!(0)));
    let zipped = gzip(event().to_string().as_bytes());
    let other = lab.client.post(lab.url("/api/v1/ingest/hec")).bearer_auth(TOKEN);
    assert_eq!(reply(other.header(CONTENT_ENCODING, "gzip").body(zipped)).await.status, 200);
    assert_eq!(lab.taken_whole(), 4);
}

#[tokio::test]
async fn a_wrong_token_path_or_method_is_refused() {
    let lab = logscale().await;
    let url = lab.url("/services/collector");
    for authorization in ["", TOKEN, &format!("Splunk {TOKEN}"), "Bearer other"] {
        let answer = reply(lab.client.post(&url).header("Authorization", authorization).body("{}")).await;
        assert_eq!(answer.status, 401, "{authorization:?}");
        assert!(answer.text.contains("The supplied authentication is invalid"), "{}", answer.text);
    }
    let elsewhere = lab.client.post(lab.url("/services/collector/raw")).bearer_auth(TOKEN);
    assert_eq!(reply(elsewhere).await.status, 404);
    assert_eq!(reply(lab.client.get(&url).bearer_auth(TOKEN)).await.status, 405);
}

#[tokio::test]
async fn a_body_with_one_bad_event_is_refused_whole() {
    let lab = logscale().await;
    let good = event();
    for bad in [
        String::new(),
        format!("{good}{good}"),
        format!("{good}\n[]"),
        format!("{good}\n{{\"time\":1}}"),
        format!("{good}\n{}", event_with("event", json!(7))),
        format!("{good}\n{}", event_with("index", json!("main"))),
        format!("[{good}]"),
    ] {
        assert_eq!(send(&lab, bad.clone()).await.status, 400, "{bad}");
    }
    assert_eq!(lab.receiver.received().len(), 0);
    assert_eq!(send(&lab, event_with("index", json!("ai-security")).to_string()).await.status, 200);
}

#[tokio::test]
async fn what_logscale_spoils_silently_is_a_violation() {
    let many: Value =
        (0..1_001).map(|number| (format!("f{number}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
    let mut timeless = event();
    timeless.as_object_mut().expect("an object").remove("time");
    for (event, reason) in [
        (timeless, "no 'time'"),
        (event_with("time", json!(1_780_949_730_500_u64)), "not in seconds"),
        (event_with("time", json!("2026-06-08T20:15:30Z")), "the time is lost"),
        (event_with("event", many), "only 1000 are kept"),
        (event_with("event", json!("x".repeat(1_000_001))), "are cut"),
        (event_with("severity", json!("high")), "no key of HEC"),
    ] {
        let lab = logscale().await;
        assert_eq!(send(&lab, event.to_string()).await.status, 200);
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(reason)), "{reason}: {reasons:?}");
    }
    let lab = logscale().await;
    send(&lab, r#"{"time":1,"event":{"a":1,"a":2}}"#).await;
    assert!(lab.reasons()[0].contains("twice"), "{:?}", lab.reasons());
}

#[tokio::test]
async fn a_larger_body_than_configured_is_refused() {
    let config = ReceiverConfig { max_body_bytes: Some(1_000), ..ReceiverConfig::default() };
    let lab = Lab::start_with(Siem::logscale(TOKEN, "ai-security"), config).await;
    assert_eq!(send(&lab, event_with("event", json!("x".repeat(1_000))).to_string()).await.status, 413);
}

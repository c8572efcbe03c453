use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, COOKIE};
use serde_json::json;
use siemaphore_receiver::{Acknowledgement, ReceiverConfig, Siem};

use crate::support::{Lab, Reply, reply};

const CHANNEL: &str = "18654C68-B28B-4450-9CF0-6E7645CA60CA";
const OTHER_CHANNEL: &str = "00000000-0000-4000-8000-000000000001";

async fn splunk(acknowledgement: Acknowledgement) -> Lab {
    Lab::start(Siem::splunk_hec_acknowledging("token", acknowledgement)).await
}

fn to(lab: &Lab, path: &str, channel: &str) -> RequestBuilder {
    let request = lab.client.post(lab.url(path)).header(AUTHORIZATION, "Splunk token");
    request.header("X-Splunk-Request-Channel", channel)
}

async fn send(lab: &Lab, channel: &str) -> Reply {
    reply(to(lab, "/services/collector/event", channel).body(r#"{"event":"x"}"#)).await
}

/// Sends an event and returns the id of its acknowledgement.
async fn acknowledged(lab: &Lab, channel: &str) -> u64 {
    let answer = send(lab, channel).await;
    assert_eq!((answer.status, &answer.json()["code"]), (200, &json!(0)));
    answer.json()["ackId"].as_u64().expect("an ackId")
}

fn poll_request(lab: &Lab, channel: &str, id: u64) -> RequestBuilder {
    to(lab, "/services/collector/ack", channel).body(json!({ "acks": [id] }).to_string())
}

async fn poll(lab: &Lab, channel: &str, id: u64) -> bool {
    is_confirmed(&reply(poll_request(lab, channel, id)).await, id)
}

fn is_confirmed(answer: &Reply, id: u64) -> bool {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["acks"][id.to_string()].as_bool().expect("an answer for the id")
}

#[tokio::test]
async fn ids_count_from_zero_in_each_channel() {
    let lab = splunk(Acknowledgement::when_told()).await;
    for expected in 0..3 {
        assert_eq!(acknowledged(&lab, CHANNEL).await, expected);
    }
    assert_eq!(acknowledged(&lab, OTHER_CHANNEL).await, 0);
    assert_eq!(lab.taken_whole(), 4);
}

#[tokio::test]
async fn a_confirmation_comes_after_some_polls_and_is_given_once() {
    let lab = splunk(Acknowledgement::after_polls(2)).await;
    let id = acknowledged(&lab, CHANNEL).await;
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(poll(&lab, CHANNEL, id).await);
    }
    assert_eq!(answers, [false, false, true, false, false]);
}

#[tokio::test]
async fn nothing_is_confirmed_before_it_is_indexed() {
    let lab = splunk(Acknowledgement::when_told()).await;
    let id = acknowledged(&lab, CHANNEL).await;
    for _ in 0..20 {
        assert!(!poll(&lab, CHANNEL, id).await);
    }
    lab.receiver.index_now();
    let later = acknowledged(&lab, CHANNEL).await;
    let both = to(&lab, "/services/collector/ack", CHANNEL).body(json!({ "acks": [id, later] }).to_string());
    assert_eq!(reply(both).await.json(), json!({ "acks": { "0": true, "1": false } }));
}

#[tokio::test]
async fn ids_that_are_unknown_in_their_channel_or_were_forgotten_are_never_confirmed() {
    let lab = splunk(Acknowledgement::after_polls(0)).await;
    let id = acknowledged(&lab, CHANNEL).await;
    assert!(!poll(&lab, CHANNEL, id + 1).await);
    assert!(!poll(&lab, OTHER_CHANNEL, id).await);
    lab.receiver.forget_acknowledgements();
    assert!(!poll(&lab, CHANNEL, id).await);
    assert_eq!(acknowledged(&lab, CHANNEL).await, 0, "numbers begin anew");
}

#[tokio::test]
async fn a_request_without_a_channel_is_refused_before_its_events_are_taken() {
    for (splunk_cloud, code) in [(false, 10), (true, 28)] {
        let siem = Siem::splunk_hec_acknowledging("token", Acknowledgement::when_told());
        let lab = Lab::start_with(siem, ReceiverConfig { splunk_cloud, ..ReceiverConfig::default() }).await;
        for path in ["/services/collector/event", "/services/collector/ack"] {
            let bare = lab.client.post(lab.url(path)).header(AUTHORIZATION, "Splunk token");
            let refused = reply(bare.body(r#"{"event":"x"}"#)).await;
            assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(code)), "{path}");
        }
        let invalid = send(&lab, "siemaphore").await;
        assert_eq!((invalid.status, &invalid.json()["code"]), (400, &json!(11)));
        assert_eq!(lab.taken_whole(), 0);
    }
}

#[tokio::test]
async fn the_channel_may_stand_in_the_query() {
    let lab = splunk(Acknowledgement::after_polls(0)).await;
    let url = lab.url(&format!("/services/collector/event?channel={CHANNEL}"));
    let request = lab.client.post(url).header(AUTHORIZATION, "Splunk token").body(r#"{"event":"x"}"#);
    assert_eq!(reply(request).await.json()["ackId"], 0);
    assert!(poll(&lab, CHANNEL, 0).await);
}

#[tokio::test]
async fn a_refused_request_has_no_acknowledgement() {
    let lab = splunk(Acknowledgement::after_polls(0)).await;
    let bad = to(&lab, "/services/collector/event", CHANNEL).body(r#"{"event":"x"}{"no":"event"}"#);
    let refused = reply(bad).await;
    assert_eq!((refused.status, &refused.json()["ackId"]), (400, &json!(null)));
    assert_eq!(acknowledged(&lab, CHANNEL).await, 0);
}

#[tokio::test]
async fn behind_a_balancer_only_the_cookie_leads_to_the_indexer_that_knows() {
    let lab = splunk(Acknowledgement::after_polls(0).behind_balancer(2)).await;
    let (first, second) = (send(&lab, CHANNEL).await, send(&lab, CHANNEL).await);
    let cookie = |answer: &Reply| {
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    };
    assert_ne!(cookie(&first), cookie(&second), "clients are handed round");
    assert_eq!((&first.json()["ackId"], &second.json()["ackId"]), (&json!(0), &json!(0)));
    for _ in 0..4 {
        assert!(!poll(&lab, CHANNEL, 0).await, "without a cookie");
    }
    for answer in [&first, &second] {
        let poll = || poll_request(&lab, CHANNEL, 0).header(COOKIE, format!("other=1; {}", cookie(answer)));
        assert!(is_confirmed(&reply(poll()).await, 0));
        assert!(!is_confirmed(&reply(poll()).await, 0), "once");
    }
}

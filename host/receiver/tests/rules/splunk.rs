use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING};
use serde_json::{Value, json};
use siemaphore_receiver::{ReceiverConfig, Siem};

use crate::support::{Lab, Reply, deflate, gzip, reply};

const TOKEN: &str = "11111111-2222-3333-4444-555555555555";

async fn splunk() -> Lab {
    splunk_with(ReceiverConfig::default()).await
}

async fn splunk_with(config: ReceiverConfig) -> Lab {
    Lab::start_with(Siem::splunk_hec_for_indexes(TOKEN, &["main", "security"]), config).await
}

fn event_request(lab: &Lab) -> RequestBuilder {
    let url = lab.url("/services/collector/event");
    lab.client.post(url).header(AUTHORIZATION, format!("Splunk {TOKEN}"))
}

async fn send(lab: &Lab, body: impl Into<reqwest::Body>) -> Reply {
    reply(event_request(lab).body(body)).await
}

/// The answer's status, code and event number.
fn verdict(reply: &Reply) -> (u16, u64, Option<u64>) {
    let body = reply.json();
    (reply.status, body["code"].as_u64().expect("a code"), body["invalid-event-number"].as_u64())
}

#[tokio::test]
async fn stacked_events_are_taken_with_and_without_a_line_between() {
    let lab = splunk().await;
    let body = concat!(
        r#"{"time":1780949730.000,"host":"gw-1","index":"main","event":{"event_id":"evt_1"},"fields":{"severity":"high"}}"#,
        r#"{"time":"1780949731.5","event":"evt_2"}"#,
        "\n",
        r#"{"event":3}"#,
    );
    let answer = send(&lab, body).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "text": "Success", "code": 0 })));
    assert_eq!(lab.taken_whole(), 3);
    let received = lab.receiver.received();
    assert_eq!(received[0].record["event"]["event_id"], "evt_1");
    assert_eq!(received[1].raw, r#"{"time":"1780949731.5","event":"evt_2"}"#);
    assert_eq!(received[2].headers[AUTHORIZATION], format!("Splunk {TOKEN}"));
}

#[tokio::test]
async fn gzip_is_decoded_and_other_encodings_are_refused() {
    let lab = splunk().await;
    let body = br#"{"event":"one"}"#;
    let zipped = event_request(&lab).header(CONTENT_ENCODING, "gzip").body(gzip(body));
    assert_eq!(verdict(&reply(zipped).await), (200, 0, None));
    let deflated = event_request(&lab).header(CONTENT_ENCODING, "deflate").body(deflate(body));
    assert_eq!(verdict(&reply(deflated).await), (415, 415, None));
    let broken = event_request(&lab).header(CONTENT_ENCODING, "gzip").body("not gzip");
    assert_eq!(verdict(&reply(broken).await), (400, 6, None));
    assert_eq!(lab.taken_whole(), 1);
}

#[tokio::test]
async fn each_wrong_form_of_authentication_has_its_own_code() {
    let lab = splunk().await;
    let url = lab.url("/services/collector/event");
    let cases = [
        (None, "", (401, 2, None)),
        (Some(format!("Bearer {TOKEN}")), "", (401, 3, None)),
        (Some(TOKEN.to_owned()), "", (401, 3, None)),
        (Some("Splunk wrong".to_owned()), "", (403, 4, None)),
        (None, "?token=wrong", (400, 16, None)),
    ];
    for (authorization, query, expected) in cases {
        let mut request = lab.client.post(format!("{url}{query}")).body(r#"{"event":"x"}"#);
        if let Some(authorization) = &authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        assert_eq!(verdict(&reply(request).await), expected, "{authorization:?} {query}");
    }
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn basic_authentication_with_the_token_as_password_is_taken() {
    let lab = splunk().await;
    let url = lab.url("/services/collector");
    let request = lab.client.post(&url).basic_auth("x", Some(TOKEN)).body(r#"{"event":"x"}"#);
    assert_eq!(verdict(&reply(request).await), (200, 0, None));
    let request = lab.client.post(&url).basic_auth("x", Some("wrong")).body(r#"{"event":"x"}"#);
    assert_eq!(verdict(&reply(request).await), (403, 4, None));
}

#[tokio::test]
async fn a_wrong_path_or_method_is_refused() {
    let lab = splunk().await;
    let elsewhere = lab.client.post(lab.url("/services/collector/events")).body("{}");
    assert_eq!(verdict(&reply(elsewhere).await), (404, 404, None));
    let answer = reply(lab.client.put(lab.url("/services/collector/event"))).await;
    assert_eq!(verdict(&answer), (405, 405, None));
    assert_eq!(answer.headers["allow"], "POST");
}

#[tokio::test]
async fn events_before_the_bad_one_are_indexed_and_none_from_it_on() {
    let bad_events = [
        (r#"{"event":"x""#, 6),
        (r#"["event"]"#, 6),
        (r#"{"event":"x","host":1}"#, 6),
        (r#"{"event":"x","time":"yesterday"}"#, 6),
        (r#"{"event":true}"#, 6),
        (r#"{"time":1}"#, 12),
        (r#"{"event":null}"#, 13),
        (r#"{"event":" "}"#, 13),
        (r#"{"event":"x","fields":{"a":{"b":1}}}"#, 15),
        (r#"{"event":"x","fields":{"a":[[1]]}}"#, 15),
        (r#"{"event":"x","fields":[]}"#, 15),
    ];
    for (bad, code) in bad_events {
        let lab = splunk().await;
        let body = format!(r#"{{"event":"first"}}{{"event":"second"}}{bad}{{"event":"last"}}"#);
        assert_eq!(verdict(&send(&lab, body).await), (400, code, Some(2)), "{bad}");
        let taken: Vec<Value> =
            lab.receiver.received().iter().map(|received| received.record["event"].clone()).collect();
        assert_eq!(taken, ["first", "second"], "{bad}");
        let request = &lab.receiver.requests()[0];
        assert_eq!(request.records, 2);
        assert!(request.refusal.as_ref().is_some_and(|reason| reason.contains("event 2")), "{request:?}");
    }
}

#[tokio::test]
async fn invalid_utf8_is_an_invalid_event_and_not_a_guess() {
    let lab = splunk().await;
    let body = b"{\"event\":\"good\"}{\"event\":\"\xff\"}".to_vec();
    assert_eq!(verdict(&send(&lab, body).await), (400, 6, Some(1)));
    assert_eq!(lab.taken_whole(), 1);
}

#[tokio::test]
async fn an_index_outside_the_tokens_list_is_refused_with_the_number_after_it() {
    let lab = splunk().await;
    let body = r#"{"event":"a","index":"security"}{"event":"b","index":"secret"}"#;
    assert_eq!(verdict(&send(&lab, body).await), (400, 7, Some(2)));
    let by_query = lab.client.post(lab.url("/services/collector/event?index=secret"));
    let by_query = by_query.header(AUTHORIZATION, format!("Splunk {TOKEN}")).body(r#"{"event":"x"}"#);
    assert_eq!(verdict(&reply(by_query).await), (400, 7, Some(1)));
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn an_empty_body_is_no_data() {
    let lab = splunk().await;
    assert_eq!(verdict(&send(&lab, " \n").await), (400, 5, None));
}

#[tokio::test]
async fn a_body_over_the_cap_is_413_or_code_6_on_splunk_cloud() {
    let body = format!(r#"{{"event":"{}"}}"#, "x".repeat(3_000));
    for (splunk_cloud, expected) in [(false, (413, 413, None)), (true, (400, 6, Some(0)))] {
        let config =
            ReceiverConfig { max_body_bytes: Some(2_000), splunk_cloud, ..ReceiverConfig::default() };
        let lab = splunk_with(config).await;
        assert_eq!(verdict(&send(&lab, body.clone()).await), expected);
        let bomb = event_request(&lab).header(CONTENT_ENCODING, "gzip").body(gzip(body.as_bytes()));
        assert_eq!(verdict(&reply(bomb).await), expected);
    }
}

#[tokio::test]
async fn the_sender_of_a_body_far_over_the_cap_still_reads_the_answer() {
    let lab = splunk().await;
    assert_eq!(verdict(&send(&lab, vec![b'x'; 20_000_000]).await), (413, 413, None));
    assert_eq!(lab.receiver.requests()[0].compressed_bytes, 20_000_000);
}

#[tokio::test]
async fn a_single_event_over_five_megabytes_does_not_parse() {
    let lab = splunk().await;
    let body = format!(r#"{{"event":"{}"}}"#, "x".repeat(5_000_000));
    assert_eq!(verdict(&send(&lab, body).await), (400, 6, Some(0)));
}

#[tokio::test]
async fn what_splunk_indexes_wrongly_is_a_violation() {
    let lab = splunk().await;
    let body = concat!(
        r#"{"event":"ms","time":1780949730000}"#,
        r#"{"event":"stray","severity":"high"}"#,
        r#"{"event":{"a":1,"a":2}}"#,
    );
    assert_eq!(verdict(&send(&lab, body).await), (200, 0, None));
    let violations = lab.receiver.violations();
    let places: Vec<usize> = violations.iter().map(|violation| violation.item).collect();
    assert_eq!(places, [0, 1, 2]);
    assert!(violations[0].reason.contains("seconds since 1970"));
    assert!(violations[1].reason.contains("'severity'"));
    assert!(violations[2].reason.contains("'a' appears twice"));
}

#[tokio::test]
async fn health_answers_without_a_token_and_tells_a_wrong_one() {
    let lab = splunk().await;
    let url = lab.url("/services/collector/health");
    assert_eq!(verdict(&reply(lab.client.get(&url)).await), (200, 17, None));
    let wrong = lab.client.get(&url).header(AUTHORIZATION, "Splunk wrong");
    assert_eq!(verdict(&reply(wrong).await), (400, 21, None));
}

#[tokio::test]
async fn a_token_without_acknowledgement_refuses_polls() {
    let lab = splunk().await;
    let poll = lab.client.post(lab.url("/services/collector/ack?channel=x"));
    let poll = poll.header(AUTHORIZATION, format!("Splunk {TOKEN}")).body(r#"{"acks":[0]}"#);
    assert_eq!(verdict(&reply(poll).await), (400, 14, None));
}

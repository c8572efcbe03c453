use reqwest::RequestBuilder;
use reqwest::header::CONTENT_ENCODING;
use siemaphore_receiver::{ReceiverConfig, Siem};

use crate::support::{Lab, Reply, deflate, gzip, reply};

const CODE: &str = "ZaVnC4dhaV3rw-example";
const MESSAGE: &str = r#"{"timestamp":"2026-06-08T20:15:30.000Z","event_type":"dlp.pii_blocked"}"#;

async fn sumologic() -> Lab {
    Lab::start(Siem::sumologic(CODE)).await
}

fn request(lab: &Lab) -> RequestBuilder {
    lab.client.post(lab.url(&format!("/receiver/v1/http/{CODE}")))
}

async fn send(lab: &Lab, body: impl Into<reqwest::Body>) -> Reply {
    reply(request(lab).body(body)).await
}

#[tokio::test]
async fn each_line_is_a_message() {
    let lab = sumologic().await;
    let answer = send(&lab, format!("{MESSAGE}\n{MESSAGE}\n")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(lab.taken_whole(), 2);
    assert_eq!(lab.receiver.received()[0].record["event_type"], "dlp.pii_blocked");
}

#[tokio::test]
async fn every_compression_that_sumo_logic_takes_is_decoded() {
    let lab = sumologic().await;
    let plain = MESSAGE.as_bytes();
    let bodies =
        [("gzip", gzip(plain)), ("deflate", deflate(plain)), ("zstd", zstd::encode_all(plain, 1).unwrap())];
    for (encoding, body) in bodies {
        assert_eq!(
            reply(request(&lab).header(CONTENT_ENCODING, encoding).body(body)).await.status,
            200,
            "{encoding}"
        );
    }
    assert_eq!(lab.taken_whole(), 3);
    assert_eq!(reply(request(&lab).header(CONTENT_ENCODING, "br").body(MESSAGE)).await.status, 415);
    assert_eq!(reply(request(&lab).header(CONTENT_ENCODING, "gzip").body(MESSAGE)).await.status, 400);
}

#[tokio::test]
async fn the_secret_is_in_the_path_or_in_the_header() {
    let lab = sumologic().await;
    let at = |path: &str| lab.client.post(lab.url(path)).body(MESSAGE);
    assert_eq!(reply(at("/receiver/v1/http").header("x-sumo-token", CODE)).await.status, 200);
    assert_eq!(reply(at("/receiver/v1/http")).await.status, 401);
    assert_eq!(reply(at("/receiver/v1/http").header("x-sumo-token", "wrong")).await.status, 401);
    assert_eq!(reply(at("/receiver/v1/http/wrong").header("x-sumo-token", CODE)).await.status, 401);
    assert_eq!(reply(at("/receiver/v1")).await.status, 404);
    assert_eq!(lab.taken_whole(), 1);
    let got = reply(lab.client.get(lab.url(&format!("/receiver/v1/http/{CODE}")))).await;
    assert_eq!((got.status, got.headers["allow"].to_str().unwrap()), (405, "POST"));
}

#[tokio::test]
async fn what_sumo_logic_takes_and_spoils_is_a_violation() {
    let long = format!(r#"{{"timestamp":"2026-06-08T20:15:30.000Z","text":"{}"}}"#, "x".repeat(65_536));
    let cases = [
        ("just text", "not JSON"),
        ("{\"a\":1}", "does not begin with its time"),
        (r#"{"timestamp":1780949730}"#, "does not begin with its time"),
        (r#"{"timestamp":"2026-06-08T20:15:30"}"#, "does not begin with its time"),
        (r#"{"timestamp":"2026-06-08T20:15:30.000Z","a":1,"a":2}"#, "key 'a' appears twice"),
        (&long, "sliced"),
    ];
    for (body, reason) in cases {
        let lab = sumologic().await;
        assert_eq!(send(&lab, body.to_owned()).await.status, 200);
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(reason)), "{reason}: {reasons:?}");
    }
    let lab = sumologic().await;
    assert_eq!(send(&lab, vec![b'"', 0xff, b'"']).await.status, 200);
    assert!(lab.reasons()[0].contains("not UTF-8"));
}

#[tokio::test]
async fn a_body_over_the_recommendation_is_taken_and_noted_and_one_over_the_cap_is_not() {
    let lab = sumologic().await;
    let line = format!(r#"{{"timestamp":"2026-06-08T20:15:30.000Z","text":"{}"}}"#, "x".repeat(49_950));
    assert_eq!(send(&lab, format!("{line}\n").repeat(20)).await.status, 200);
    assert!(lab.reasons()[0].contains("over the recommended"), "{:?}", lab.reasons());
    let config = ReceiverConfig { max_body_bytes: Some(50_000), ..ReceiverConfig::default() };
    let small = Lab::start_with(Siem::sumologic(CODE), config).await;
    assert_eq!(send(&small, format!("{line}\n")).await.status, 413);
}

#[tokio::test]
async fn a_field_that_cannot_be_read_is_noted() {
    let lab = sumologic().await;
    let with = |fields: &str| request(&lab).header("X-Sumo-Fields", fields.to_owned()).body(MESSAGE);
    assert_eq!(reply(with("team=soc,env=prod")).await.status, 200);
    assert_eq!(lab.taken_whole(), 1);
    assert_eq!(reply(with("team")).await.status, 200);
    assert_eq!(lab.reasons(), ["field 'team' is dropped"]);
}

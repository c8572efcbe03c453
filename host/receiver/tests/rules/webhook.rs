use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use ring::hmac;
use siemaphore_receiver::{Siem, WebhookProof};

use crate::support::{Lab, Reply, gzip, reply};

/// Of the published test vector, as are the id and body below.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const BODY: &str = r#"{"test": 2432232314}"#;
const OLD_TIMESTAMP: i64 = 1_614_265_330;
const OLD_SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const OTHER_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

async fn standard() -> Lab {
    let secrets = vec![OTHER_SECRET.to_owned(), SECRET.to_owned()];
    Lab::start(Siem::webhook("/hook", WebhookProof::StandardWebhooks { secrets })).await
}

async fn github(secret: &str) -> Lab {
    Lab::start(Siem::webhook("/hook", WebhookProof::GitHub { secret: secret.to_owned() })).await
}

async fn with_header() -> Lab {
    let proof = WebhookProof::Header { name: "X-Api-Key".to_owned(), value: "k".to_owned() };
    Lab::start(Siem::webhook("/", proof)).await
}

fn now_s() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn signature(id: &str, timestamp: i64, body: &str) -> String {
    let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).expect("base64");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

fn post(lab: &Lab, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    lab.client.post(lab.url(path)).header(CONTENT_TYPE, "application/json").body(body)
}

fn signed(lab: &Lab, id: &str, timestamp: i64, signature: &str, body: &'static str) -> RequestBuilder {
    post(lab, "/hook", body)
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
}

async fn send(lab: &Lab, id: &str, timestamp: i64, signature: &str, body: &'static str) -> Reply {
    reply(signed(lab, id, timestamp, signature, body)).await
}

#[test]
fn the_tests_own_signature_is_that_of_the_published_vector() {
    assert_eq!(signature(ID, OLD_TIMESTAMP, BODY), OLD_SIGNATURE);
}

#[tokio::test]
async fn a_signed_event_is_taken_with_any_of_the_secrets_and_signatures() {
    let lab = standard().await;
    let now = now_s();
    let right = signature(ID, now, BODY);
    for signatures in [right.clone(), format!("v1,AAAA {right}"), format!("v1a,x {right} v2,y")] {
        assert_eq!(send(&lab, ID, now, &signatures, BODY).await.status, 204, "{signatures}");
    }
    assert_eq!(lab.taken_whole(), 3);
    assert_eq!(lab.receiver.received()[0].raw, BODY);
}

#[tokio::test]
async fn a_signature_of_anything_else_is_refused() {
    let lab = standard().await;
    let now = now_s();
    let right = signature(ID, now, BODY);
    let unversioned = right.trim_start_matches("v1,").to_owned();
    for (id, timestamp, signature, body) in [
        ("msg_other", now, right.as_str(), BODY),
        (ID, now - 1, &right, BODY),
        (ID, now, &right, r#"{"test":2432232314}"#),
        (ID, now, &unversioned, BODY),
        (ID, now, "v1,", BODY),
        (ID, now, &right.replace("v1,", "v2,"), BODY),
    ] {
        let answer = send(&lab, id, timestamp, signature, body).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (401, Some("no matching signature found"))
        );
    }
    let dotted = signature("a.b", now, BODY);
    assert_eq!(send(&lab, "a.b", now, &dotted, BODY).await.status, 401);
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn a_clock_may_differ_by_five_minutes_and_no_more() {
    let lab = standard().await;
    assert_eq!(
        send(&lab, ID, OLD_TIMESTAMP, OLD_SIGNATURE, BODY).await.json()["error"],
        "message timestamp too old"
    );
    // Ten seconds are left for the request itself.
    for (offset, status) in [(-290, 204), (290, 204), (-310, 401), (310, 401)] {
        let timestamp = now_s() + offset;
        let answer = send(&lab, ID, timestamp, &signature(ID, timestamp, BODY), BODY).await;
        assert_eq!(answer.status, status, "{offset}");
    }
}

#[tokio::test]
async fn every_header_of_a_signature_is_needed() {
    let lab = standard().await;
    let now = now_s();
    let signature = signature(ID, now, BODY);
    for missing in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut request = signed(&lab, ID, now, &signature, BODY).build().unwrap();
        request.headers_mut().remove(missing);
        assert_eq!(lab.client.execute(request).await.unwrap().status().as_u16(), 401, "{missing}");
    }
}

#[tokio::test]
async fn an_id_with_another_body_is_a_violation() {
    let lab = standard().await;
    let now = now_s();
    for body in [BODY, r#"{"test": 2}"#] {
        assert_eq!(send(&lab, ID, now, &signature(ID, now, body), body).await.status, 204);
    }
    assert_eq!(lab.reasons(), [format!("the id {ID} came before with another body")]);
}

#[tokio::test]
async fn githubs_published_vector_passes_the_signature_and_fails_as_json() {
    let lab = github("It's a Secret to Everybody").await;
    let vector = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let request = post(&lab, "/hook", "Hello, World!").header("X-Hub-Signature-256", vector);
    assert_eq!(reply(request).await.status, 400);
    let changed = post(&lab, "/hook", "Hello, World?").header("X-Hub-Signature-256", vector);
    assert_eq!(reply(changed).await.status, 401);
}

#[tokio::test]
async fn githubs_signature_has_one_form() {
    let lab = github("s").await;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"s"), b"{}");
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let send = |value: String| reply(post(&lab, "/hook", "{}").header("X-Hub-Signature-256", value));
    assert_eq!(send(format!("sha256={hex}")).await.status, 204);
    for wrong in
        [hex.clone(), format!("sha256={}", hex.to_uppercase()), format!("sha1={hex}"), "sha256=".to_owned()]
    {
        assert_eq!(send(wrong.clone()).await.status, 401, "{wrong}");
    }
    assert_eq!(reply(post(&lab, "/hook", "{}")).await.status, 401);
}

#[tokio::test]
async fn a_collectors_header_path_method_and_media_type_have_to_be_right() {
    let lab = with_header().await;
    let send = |path: &str, key: &'static str| reply(post(&lab, path, "{}").header("X-Api-Key", key));
    assert_eq!(send("/", "k").await.status, 204);
    assert_eq!(send("/", "wrong").await.status, 401);
    assert_eq!(send("/other", "k").await.status, 404);
    let get = reply(lab.client.get(lab.url("/")).header("X-Api-Key", "k")).await;
    assert_eq!((get.status, get.headers["allow"].to_str().unwrap()), (405, "POST, PUT"));
    let text =
        lab.client.post(lab.url("/")).header("X-Api-Key", "k").header(CONTENT_TYPE, "text/plain").body("{}");
    assert_eq!(reply(text).await.status, 415);
    let zipped = post(&lab, "/", gzip(b"{}")).header("X-Api-Key", "k").header(CONTENT_ENCODING, "gzip");
    assert_eq!(reply(zipped).await.status, 415);
}

#[tokio::test]
async fn objects_come_alone_in_an_array_or_on_lines() {
    let lab = with_header().await;
    let send = |content_type: &'static str, body: &'static str| {
        let request =
            lab.client.post(lab.url("/")).header("X-Api-Key", "k").header(CONTENT_TYPE, content_type);
        reply(request.body(body))
    };
    assert_eq!(send("application/json", "{\"a\":1}").await.status, 204);
    assert_eq!(send("application/json; charset=utf-8", "[{},{}]").await.status, 204);
    assert_eq!(send("application/x-ndjson", "{}\n{}\n").await.status, 204);
    assert_eq!(lab.taken_whole(), 5);
    for (content_type, body) in [
        ("application/json", ""),
        ("application/json", "7"),
        ("application/json", "[{},1]"),
        ("application/json", "{}{}"),
        ("application/x-ndjson", "{}\n{}"),
        ("application/x-ndjson", "{}\n\n{}\n"),
    ] {
        assert_eq!(send(content_type, body).await.status, 400, "{body}");
    }
    assert_eq!(lab.receiver.received().len(), 5);
    assert_eq!(send("application/json", r#"{"a":1,"a":2}"#).await.status, 204);
    assert_eq!(lab.reasons(), ["key 'a' appears twice in one object"]);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let lab = with_header().await;
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(1_000_000));
    assert_eq!(reply(post(&lab, "/", large).header("X-Api-Key", "k")).await.status, 413);
}

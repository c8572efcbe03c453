//! Requests that are signed instead of bearing a token.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/intake.rs"]
mod support;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use ring::hmac::{self, HMAC_SHA256, Key};
use siemaphore_intake::{IntakeConfig, Signature, Source};
use support::{Answer, TestIntake, gateway, gzip, source};

const EVENT: &[u8] = br#"{"event_id":"e1","event_type":"blocked"}"#;
const KEY: [u8; 24] = [42; 24];

fn signed(name: &str, signature: Signature) -> Source {
    Source { token_digests: Vec::new(), signature: Some(signature), ..source(name, "acme", "unused") }
}

fn intake() -> TestIntake {
    let secret = format!("whsec_{}", STANDARD.encode(KEY));
    let standard = Signature::standard_webhooks(&[&secret]).unwrap();
    let header = HeaderName::from_static("x-hub-signature-256");
    let github = Signature::hmac(header, "sha256=", &["old secret", "new secret"]);
    let sources = vec![gateway(), signed("standard", standard), signed("github", github)];
    TestIntake::with(IntakeConfig::default(), sources)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Sends what Standard Webhooks would.
async fn deliver(intake: &TestIntake, id: &str, encoding: &str, body: &[u8], timestamp: u64) -> Answer {
    let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let signature = STANDARD.encode(hmac::sign(&Key::new(HMAC_SHA256, &KEY), &signed));
    let (timestamp, signature) = (timestamp.to_string(), format!("v1,{signature}"));
    let headers = [
        ("webhook-id", id),
        ("webhook-timestamp", &timestamp),
        ("webhook-signature", &signature),
        ("content-encoding", encoding),
    ];
    intake.send("POST", "/v1/webhooks/standard", &headers, body.to_vec()).await
}

fn github_signature(secret: &str, body: &[u8]) -> String {
    let signature = hmac::sign(&Key::new(HMAC_SHA256, secret.as_bytes()), body);
    let digits: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

#[tokio::test]
async fn a_standard_webhook_is_taken_once_however_often_it_is_sent() {
    let intake = intake();
    deliver(&intake, "msg_1", "identity", EVENT, now()).await.expect(200, 1);
    // The next attempt has a time and a signature of its own.
    deliver(&intake, "msg_1", "identity", EVENT, now() - 60).await.expect(200, 1);
    assert_eq!((intake.log.requests(), intake.log.ids()), (1, vec!["e1".to_owned()]));
    deliver(&intake, "msg_2", "identity", EVENT, now()).await.expect(200, 1);
    assert_eq!(intake.log.requests(), 2);
    let other = br#"{"event_id":"e2"}"#;
    deliver(&intake, "msg_2", "identity", other, now()).await.expect_error(422, "used before");
}

#[tokio::test]
async fn a_compressed_body_is_checked_as_it_was_sent() {
    let intake = intake();
    deliver(&intake, "msg_1", "gzip", &gzip(EVENT), now()).await.expect(200, 1);
    assert_eq!(intake.log.ids(), ["e1"]);
}

#[tokio::test]
async fn a_body_signed_with_any_of_the_secrets_in_a_header_is_taken() {
    let intake = intake();
    for secret in ["old secret", "new secret"] {
        let signature = github_signature(secret, EVENT);
        let headers = [("x-hub-signature-256", signature.as_str())];
        intake.send("POST", "/v1/webhooks/github", &headers, EVENT.to_vec()).await.expect(200, 1);
    }
    assert_eq!(intake.log.organizations(), ["acme", "acme"]);
}

#[tokio::test]
async fn what_is_not_signed_by_the_source_of_the_path_is_refused_and_counted() {
    let intake = intake();
    deliver(&intake, "msg_1", "identity", EVENT, now() - 301).await.expect_error(401, "five minutes");
    deliver(&intake, "msg 1", "identity", EVENT, now()).await.expect_error(401, "webhook-id");
    let signature = github_signature("new secret", EVENT);
    let headers = [("x-hub-signature-256", signature.as_str())];
    for (path, headers, body, reason) in [
        ("/v1/webhooks/github", &headers[..], &b"{}"[..], "not that of this body"),
        ("/v1/webhooks/github", &[], EVENT, "is missing"),
        ("/v1/webhooks/standard", &headers, EVENT, "is missing"),
        ("/v1/webhooks/gateway", &headers, EVENT, "no source of this name"),
        ("/v1/webhooks/nobody", &headers, EVENT, "no source of this name"),
        ("/v1/webhooks/github", &[("authorization", "Bearer unused")], EVENT, "is missing"),
    ] {
        let answer = intake.send("POST", path, headers, body.to_vec()).await;
        answer.expect_error(401, reason);
        let is_about_the_secret = answer.body["error"]["hint"].as_str().unwrap().contains("with a secret");
        assert_eq!(is_about_the_secret, reason == "not that of this body", "{}", answer.text);
    }
    assert_eq!((intake.log.requests(), intake.metrics.unauthorized()), (0, 8));
}

#[tokio::test]
async fn a_signed_request_is_read_up_to_one_mebibyte() {
    let intake = intake();
    let body = vec![b' '; (1 << 20) + 1];
    deliver(&intake, "msg_1", "identity", &body, now()).await.expect_error(413, "1048576");
}

#[tokio::test]
async fn signatures_that_fail_are_counted_for_the_source_that_the_path_names() {
    let intake = intake();
    deliver(&intake, "msg_1", "identity", EVENT, now()).await.expect(200, 1);
    // Too old, of another body, and missing: the first and the last need no body to be seen.
    deliver(&intake, "msg_2", "identity", EVENT, now() - 3_600).await.expect_error(401, "five minutes");
    let wrong = [("x-hub-signature-256", github_signature("new secret", b"{}"))];
    let wrong = wrong.each_ref().map(|(name, value)| (*name, value.as_str()));
    intake
        .send("POST", "/v1/webhooks/github", &wrong, EVENT)
        .await
        .expect_error(401, "not that of this body");
    intake.send("POST", "/v1/webhooks/github", &[], EVENT).await.expect_error(401, "missing");
    intake.send("POST", "/v1/webhooks/nobody", &[], EVENT).await.expect_error(401, "no source");
    let counted = intake.metrics.snapshot();
    let failures: Vec<(&str, u64)> =
        counted.iter().map(|one| (one.source.as_str(), one.signature_failures)).collect();
    assert_eq!(failures, [("gateway", 0), ("github", 2), ("standard", 1)]);
    // A request counts as the source's once its head can be true.
    let requests: Vec<u64> = counted.iter().map(|one| one.requests[2].1).collect();
    assert_eq!(requests, [0, 1, 1]);
    assert_eq!(counted[1].refused_requests, [("signature", 1)]);
    assert_eq!(intake.metrics.unauthorized(), 4);
}

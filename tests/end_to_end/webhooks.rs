//! Signed webhooks come in on a path of their source's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{self, HMAC_SHA256, Key};
use serde_json::{Value, json};
use siemaphore_receiver::{Certificate, Receiver, Siem, WebhookProof};

use crate::support::{PATIENCE, Scene, request};
use crate::third_party::python;

const SECRET: &str = "canary-webhook-secret-4711";

#[tokio::test]
async fn a_signed_request_needs_no_token_and_arrives_once() {
    let stage = Scene::new().splunk().set().await;
    let key = [42_u8; 32];
    let files = [
        stage.secret_file("standard", &format!("whsec_{}", STANDARD.encode(key))),
        stage.secret_file("github", SECRET),
    ];
    let sources = format!(
        "[[source]]\nname = \"standard\"\norganization = \"acme\"\n\
         signature = {{ scheme = \"standard-webhooks\", secrets = [\"file:{}\"] }}\n\
         [[source]]\nname = \"github\"\norganization = \"acme\"\n\
         signature = {{ scheme = \"hmac\", secrets = [\"file:{}\"] }}\n",
        files[0], files[1]
    );
    stage.edit(|text| text + &sources);
    let scene = stage.start(None).await;
    let body =
        json!({ "event_type": "dlp.pii_blocked", "request_id": "w-1", "severity": "high" }).to_string();

    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for attempt in [seconds, seconds - 30] {
        let signed = format!("msg_1.{attempt}.{body}");
        let signature = STANDARD.encode(hmac::sign(&Key::new(HMAC_SHA256, &key), signed.as_bytes()));
        let (timestamp, signature) = (attempt.to_string(), format!("v1,{signature}"));
        let headers =
            [("webhook-id", "msg_1"), ("webhook-timestamp", &timestamp), ("webhook-signature", &signature)];
        let path = "/v1/webhooks/standard";
        let answer = request(scene.host.intake, "POST", path, &headers, body.clone()).await;
        assert_eq!(answer.expect(200).json()["accepted"], 1);
    }
    let other = body.replace("w-1", "w-2");
    let signature = hmac::sign(&Key::new(HMAC_SHA256, SECRET.as_bytes()), other.as_bytes());
    let digits: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = format!("sha256={digits}");
    let headers = [("x-hub-signature-256", signature.as_str())];
    let path = "/v1/webhooks/github";
    request(scene.host.intake, "POST", path, &headers, other).await.expect(200);
    request(scene.host.intake, "POST", path, &headers, body).await.expect(401);
    scene
        .measures(&[
            "siemaphore_intake_requests_total{source=\"standard\",way=\"webhook\"} 2",
            "siemaphore_intake_accepted_events_total{source=\"standard\"} 1",
            "siemaphore_intake_repeated_requests_total{source=\"standard\"} 1",
            "siemaphore_intake_signature_failures_total{source=\"standard\"} 0",
            "siemaphore_intake_signature_failures_total{source=\"github\"} 1",
            "siemaphore_intake_refused_requests_total{source=\"github\",reason=\"signature\"} 1",
        ])
        .await;

    let arrived = scene.splunk().arrived(2).await;
    let mut ids: Vec<&str> =
        arrived.iter().map(|received| received.record["event"]["request_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["w-1", "w-2"]);
    scene.stop().await;
}

#[tokio::test]
async fn the_reference_library_signs_for_us_and_verifies_what_we_sign() {
    let key = format!("whsec_{}", STANDARD.encode([7_u8; 32]));
    let certificate = Certificate::generate().unwrap();
    let proof = WebhookProof::StandardWebhooks { secrets: vec![key.clone()] };
    let receiver = Receiver::start(Siem::webhook("/in", proof), &certificate).await.unwrap();
    let stage = Scene::new().set().await;
    std::fs::write(stage.path("webhook.pem"), certificate.ca_pem()).unwrap();
    let secret = stage.secret_file("both", &key);
    let endpoint = receiver.endpoint();
    stage.edit(|text| {
        format!(
            "{text}\n[[source]]\nname = \"standard\"\norganization = \"acme\"\n\
             signature = {{ scheme = \"standard-webhooks\", secrets = [\"file:{secret}\"] }}\n\
             [[destination]]\nname = \"hook\"\norganization = \"acme\"\nformatter = \"webhook\"\n\
             endpoint = \"{endpoint}\"\nca_file = \"webhook.pem\"\nsecret = \"file:{secret}\"\n\
             settings = {{ path = \"/in\", body = \"document\" }}\n"
        )
    });
    let scene = stage.start(None).await;

    let body =
        json!({ "event_type": "dlp.pii_blocked", "request_id": "ö-1", "severity": "high" }).to_string();
    let signed: Value =
        serde_json::from_str(&python("standard_webhooks.py", &["sign", &key, "msg_1"], &body).await).unwrap();
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers = headers.map(|name| (name, signed[name].as_str().unwrap()));
    request(scene.host.intake, "POST", "/v1/webhooks/standard", &headers, body).await.expect(200);

    let arrived = receiver.wait_for(1, PATIENCE).await.unwrap();
    let headers: serde_json::Map<String, Value> = arrived[0]
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
        .collect();
    let delivered = json!({ "headers": headers, "body": arrived[0].raw }).to_string();
    let verified = python("standard_webhooks.py", &["verify", &key], &delivered).await;
    assert!(verified.contains("\\u00f6-1"), "{verified}");
    scene.stop().await;
    receiver.stop().await;
}

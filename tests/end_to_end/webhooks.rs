//! Signed webhooks come in on a path of their source's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{self, HMAC_SHA256, Key};
use serde_json::json;

use crate::support::{Scene, request};

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

    let arrived = scene.splunk().arrived(2).await;
    let mut ids: Vec<&str> =
        arrived.iter().map(|received| received.record["event"]["request_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["w-1", "w-2"]);
    scene.stop().await;
}

//! What AWS checks of a signature, on Amazon's OpenSearch. The signatures are computed here, apart from the host's code.

use std::time::SystemTime;

use jiff::Timestamp;
use reqwest::RequestBuilder;
use ring::{digest, hmac};
use serde_json::json;
use siemaphore_receiver::{AwsKey, Siem};

use crate::support::{Lab, reply};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const BODY: &str =
    "{\"create\":{\"_index\":\"logs-x-y\",\"_id\":\"1\"}}\n{\"@timestamp\":\"2026-06-08T20:15:30Z\"}\n";

async fn amazon() -> Lab {
    Lab::start(Siem::amazon_opensearch(AwsKey {
        region: "eu-central-1".to_owned(),
        service: "es".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: SECRET.to_owned(),
    }))
    .await
}

/// What a client signs, and may get wrong.
struct Signing {
    id: &'static str,
    secret: &'static str,
    service: &'static str,
    time: SystemTime,
    /// The body that the digest is of.
    body: &'static str,
    names: &'static str,
}

impl Signing {
    fn right() -> Signing {
        Signing {
            id: "AKIDEXAMPLE",
            secret: SECRET,
            service: "es",
            time: SystemTime::now(),
            body: BODY,
            names: "content-type;host;x-amz-content-sha256;x-amz-date",
        }
    }

    fn request(&self, lab: &Lab) -> RequestBuilder {
        let time = Timestamp::try_from(self.time).expect("a time").strftime("%Y%m%dT%H%M%SZ").to_string();
        let url = lab.url("/_bulk?filter_path=errors&a=b");
        let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next()).expect("a host");
        let digest = hexadecimal(digest::digest(&digest::SHA256, self.body.as_bytes()).as_ref());
        let values = [
            ("content-type", "application/x-ndjson"),
            ("host", host),
            ("x-amz-content-sha256", digest.as_str()),
            ("x-amz-date", time.as_str()),
        ];
        let signed = values.iter().filter(|(name, _)| self.names.split(';').any(|own| own == *name));
        let lines: String = signed.map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("POST\n/_bulk\na=b&filter_path=errors\n{lines}\n{}\n{digest}", self.names);
        let canonical = hexadecimal(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let scope = format!("{}/eu-central-1/{}/aws4_request", &time[..8], self.service);
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical}");
        let start = format!("AWS4{}", self.secret).into_bytes();
        let key = scope.split('/').fold(start, |key, part| hmac_of(&key, part));
        let signature = hexadecimal(&hmac_of(&key, &to_sign));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
            self.id, self.names
        );
        let request = lab.client.post(&url).header("content-type", "application/x-ndjson").body(BODY);
        let request = request.header("x-amz-date", time).header("x-amz-content-sha256", digest);
        request.header("authorization", authorization)
    }
}

fn hmac_of(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_signed_request_is_taken() {
    let lab = amazon().await;
    let answer = reply(Signing::right().request(&lab)).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "errors": false })));
    assert_eq!(lab.receiver.totals().records, 1);
}

#[tokio::test]
async fn each_wrong_signature_is_refused_with_its_reason() {
    let lab = amazon().await;
    let old = SystemTime::now() - std::time::Duration::from_secs(600);
    for (signing, words) in [
        (Signing { id: "AKIDOTHER", ..Signing::right() }, "security token"),
        (Signing { secret: "wrong", ..Signing::right() }, "does not match the signature"),
        (Signing { service: "aoss", ..Signing::right() }, "correct service"),
        (Signing { time: old, ..Signing::right() }, "Signature expired"),
        (Signing { body: "another", ..Signing::right() }, "digest of the body"),
        (
            Signing { names: "content-type;host;x-amz-content-sha256", ..Signing::right() },
            "x-amz-date is not signed",
        ),
    ] {
        let answer = reply(signing.request(&lab)).await;
        let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
        assert!(answer.status == 403 && message.contains(words), "{words}: {message}");
    }
    let unsigned = reply(lab.client.post(lab.url("/_bulk")).body(BODY)).await;
    assert_eq!(
        (unsigned.status, unsigned.json()),
        (403, json!({ "message": "Missing Authentication Token" }))
    );
    assert_eq!(lab.receiver.totals().records, 0);
}

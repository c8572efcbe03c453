//! What Google's token endpoint checks of a claim.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::google_secops::{KEY_FILE, secops};
use crate::support::{Lab, Reply, reply};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims(lab: &Lab) -> Value {
    let iat = now();
    json!({
        "iss": "test-only@test-only.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": lab.receiver.token_url().unwrap(),
        "iat": iat,
        "exp": iat + 3600,
    })
}

/// Signed with the key of the key file.
fn assertion(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let file: Value = serde_json::from_str(KEY_FILE).unwrap();
    let key = PrivatePkcs8KeyDer::from_pem_slice(file["private_key"].as_str().unwrap().as_bytes()).unwrap();
    let key = KeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn header() -> Value {
    json!({ "alg": "RS256", "typ": "JWT", "kid": "test-only-key" })
}

async fn ask(lab: &Lab, grant_type: &str, assertion: &str) -> Reply {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("grant_type", grant_type), ("assertion", assertion)])
        .finish();
    let request = lab.client.post(lab.receiver.token_url().unwrap());
    reply(request.header("content-type", "application/x-www-form-urlencoded").body(form)).await
}

#[tokio::test]
async fn a_signed_claim_is_exchanged_for_a_token_that_opens_the_api_until_it_expires() {
    let lab = secops().await;
    let answer = ask(&lab, GRANT, &assertion(&header(), &claims(&lab))).await;
    assert_eq!(answer.status, 200);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let url =
        lab.url("/v1/projects/soc/locations/eu/instances/01234567-89ab-cdef-0123-456789abcdef/logTypes");
    assert_eq!(reply(lab.client.get(&url).bearer_auth(&token)).await.status, 200);
    lab.receiver.expire_tokens();
    assert_eq!(reply(lab.client.get(&url).bearer_auth(&token)).await.status, 401);
}

#[tokio::test]
async fn each_wrong_claim_has_its_own_error() {
    let lab = secops().await;
    let old = now() - 7200;
    for (name, value, error, words) in [
        ("iss", json!("other@test-only.iam.gserviceaccount.com"), "invalid_grant", "account not found"),
        ("aud", json!("https://oauth2.googleapis.com/token"), "invalid_grant", "audience"),
        ("scope", json!("https://www.googleapis.com/auth/drive"), "invalid_scope", "scope"),
        ("exp", json!(now() + 7200), "invalid_grant", "short-lived"),
        ("iat", json!(old), "invalid_grant", "short-lived"),
    ] {
        let mut claims = claims(&lab);
        claims[name] = value;
        let answer = ask(&lab, GRANT, &assertion(&header(), &claims)).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["error"]), (400, &json!(error)), "{name}");
        assert!(body["error_description"].as_str().unwrap().contains(words), "{name}: {body}");
    }
}

#[tokio::test]
async fn a_claim_that_this_account_did_not_sign_is_refused() {
    let lab = secops().await;
    let right = assertion(&header(), &claims(&lab));
    let (signed, signature) = right.rsplit_once('.').unwrap();
    let mut other = claims(&lab);
    other["sub"] = json!("admin@example.com");
    let changed = URL_SAFE_NO_PAD.encode(other.to_string());
    let changed = format!("{}.{changed}.{signature}", signed.split_once('.').unwrap().0);
    let unsigned = assertion(&json!({ "alg": "none", "typ": "JWT", "kid": "test-only-key" }), &claims(&lab));
    let other_key = assertion(&json!({ "alg": "RS256", "typ": "JWT", "kid": "another" }), &claims(&lab));
    for assertion in [changed.as_str(), &unsigned, &other_key, signed, "", "a.b.c"] {
        let answer = ask(&lab, GRANT, assertion).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_grant")), "{assertion}");
    }
    let answer = ask(&lab, "client_credentials", &right).await;
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("unsupported_grant_type")));
    let url = lab.receiver.token_url().unwrap();
    assert_eq!(reply(lab.client.get(&url)).await.status, 405);
}

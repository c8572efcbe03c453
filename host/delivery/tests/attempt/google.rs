//! A Google service account: one server as token endpoint and SIEM, which verifies the claim with the public key.

use std::collections::HashMap;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Response;
use ring::rsa::KeyPair;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use siemaphore_delivery::{AttemptErrorKind, Authentication, Decision};

use crate::server::{Received, Server, reply};
use crate::{Destination, secret_reference, write_secret};

/// A key that was made for this test and opens nothing.
const KEY_FILE: &str = include_str!("test-only-service-account.json");
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

fn public_key() -> Vec<u8> {
    let file: Value = serde_json::from_str(KEY_FILE).expect("JSON");
    let pem = file.get("private_key").and_then(Value::as_str).expect("a key");
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).expect("PEM");
    KeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("a key").public().as_ref().to_vec()
}

/// The claims of an assertion whose signature is right.
fn verified(assertion: &str) -> Value {
    let (signed, signature) = assertion.rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key())
        .verify(signed.as_bytes(), &signature)
        .expect("the signature fits");
    let (header, claims) = signed.split_once('.').expect("two parts");
    let read =
        |part| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON");
    assert_eq!(read(header), serde_json::json!({ "alg": "RS256", "typ": "JWT", "kid": "test-only-key" }));
    read(claims)
}

fn assertion_of(request: &Received) -> String {
    let form: HashMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    let field = |name: &str| form.get(name).expect(name).clone();
    assert_eq!(field("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    field("assertion")
}

fn token(number: usize) -> Response<Bytes> {
    reply(
        200,
        format!(r#"{{"access_token":"ya29.canary-token-{number}","expires_in":3599,"token_type":"Bearer"}}"#),
    )
}

fn authentication(server: &Server) -> Authentication {
    Authentication::GoogleServiceAccount {
        token_url: Some(server.url("/token")),
        scope: SCOPE.into(),
        secret: secret_reference(server),
    }
}

#[tokio::test]
async fn a_claim_is_exchanged_for_a_token_that_is_kept_and_replaced_once_when_refused() {
    let server = Server::answering(|number, request| match request.uri.path() {
        "/token" => token(number),
        _ if request.header("authorization").expect("a token").ends_with("-0") => reply(401, ""),
        _ => reply(200, format!("you sent {}", request.header("authorization").expect("a token"))),
    })
    .await;
    write_secret(&server, KEY_FILE);
    let destination = Destination::new(&server, authentication(&server));
    for _ in 0..2 {
        let answer = destination.send().await.expect("an answer");
        assert_eq!((answer.status, &answer.body[..]), (200, &b"you sent Bearer [secret]"[..]));
    }
    let received = server.received();
    let paths: Vec<_> = received.iter().map(|request| request.uri.path()).collect();
    assert_eq!(paths, ["/token", "/in", "/token", "/in", "/in"]);
    let claims = verified(&assertion_of(&received[0]));
    assert_eq!(claims["iss"], "test-only@test-only.iam.gserviceaccount.com");
    assert_eq!(
        (claims["scope"].as_str(), claims["aud"].as_str()),
        (Some(SCOPE), Some(server.url("/token").as_str()))
    );
    let issued = claims["iat"].as_u64().expect("a time");
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    assert!(now - issued < 300, "{issued} is not now");
    assert_eq!(claims["exp"].as_u64(), Some(issued + 3600));
}

#[tokio::test]
async fn a_refused_claim_is_held_and_not_repeated_in_the_error() {
    let refuse = |_, request: &Received| {
        let description = format!("Invalid JWT Signature: {}", assertion_of(request));
        let body = serde_json::json!({ "error": "invalid_grant", "error_description": description });
        reply(400, body.to_string())
    };
    let server = Server::answering(refuse).await;
    write_secret(&server, KEY_FILE);
    let error = Destination::new(&server, authentication(&server)).send().await.expect_err("no token");
    assert_eq!(error.kind, AttemptErrorKind::Token);
    assert_eq!(error.reason, "the token endpoint answered 400: Invalid JWT Signature: [secret]");
    assert!(error.hint.contains("has not been deleted"), "{}", error.hint);
    assert!(matches!(error.decision(), Decision::Hold { .. }));
}

#[tokio::test]
async fn the_token_endpoint_of_the_key_file_is_dialled_as_carefully_as_any() {
    let server = Server::answering(|number, _| token(number)).await;
    write_secret(&server, &KEY_FILE.replace("https://token.invalid/token", "http://169.254.169.254/token"));
    let authentication = Authentication::GoogleServiceAccount {
        token_url: None,
        scope: SCOPE.into(),
        secret: secret_reference(&server),
    };
    let error = Destination::new(&server, authentication).send().await.expect_err("no token");
    assert!(matches!(error.decision(), Decision::Hold { .. }), "{error:?}");
    assert!(server.received().is_empty());
}

//! How a request is authenticated, and what happens when a SIEM refuses a credential.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use siemaphore_delivery::{AttemptErrorKind, Authentication, Decision, MessageId};
use siemaphore_model::EventKey;
use siemaphore_model::formatter::{Framing, RequestProfile};
use siemaphore_secrets::{REFRESH_INTERVAL, SecretReference};

use crate::server::{Server, reply};
use crate::{Destination, client_config, pass, profile, secret_reference, write_secret};

fn splunk(server: &Server) -> Authentication {
    Authentication::Header {
        header: HeaderName::from_static("authorization"),
        prefix: "Splunk ".into(),
        secret: secret_reference(server),
    }
}

async fn authorization(
    authentication: impl FnOnce(SecretReference) -> Authentication,
    secret: &str,
) -> String {
    let server = Server::answering(|_, _| reply(200, "")).await;
    write_secret(&server, secret);
    Destination::new(&server, authentication(secret_reference(&server))).send().await.expect("an answer");
    let received = server.received();
    let request = received.first().expect("a request");
    request.header("authorization").expect("it is there").to_owned()
}

#[tokio::test]
async fn each_scheme_makes_its_own_header() {
    let header = |secret| Authentication::Header {
        header: HeaderName::from_static("authorization"),
        prefix: "Splunk ".into(),
        secret,
    };
    assert_eq!(authorization(header, "hec-token-1\n").await, "Splunk hec-token-1");
    assert_eq!(authorization(header, "Splunk hec-token-1").await, "Splunk hec-token-1");
    assert_eq!(authorization(|secret| Authentication::Bearer { secret }, "token-1").await, "Bearer token-1");
    let basic = |secret| Authentication::Basic { username: "elastic".into(), secret };
    assert_eq!(authorization(basic, "changeme").await, "Basic ZWxhc3RpYzpjaGFuZ2VtZQ==");
}

#[tokio::test]
async fn without_authentication_nothing_is_added() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    Destination::new(&server, Authentication::None).send().await.expect("an answer");
    assert_eq!(server.received()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_probe_is_authenticated_too() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    write_secret(&server, "hec-token-1");
    let destination = Destination::new(&server, splunk(&server));
    destination.target.probe(&destination.granted, &crate::group()).await.expect("an answer");
    assert_eq!(server.received()[0].header("authorization"), Some("Splunk hec-token-1"));
}

#[tokio::test]
async fn nothing_is_sent_without_the_secret() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    let error = Destination::new(&server, splunk(&server)).send().await.expect_err("there is no secret");
    assert_eq!(error.kind, AttemptErrorKind::Secret);
    assert!(error.reason.contains("does not exist") && !error.hint.is_empty(), "{error:?}");
    assert!(matches!(error.decision(), Decision::Hold { .. }));
    assert!(server.received().is_empty());
}

/// Takes one secret only.
async fn server_with(secret: &'static str, refusal: u16) -> Server {
    Server::answering(move |_, request| match request.header("authorization") {
        Some(value) if value == format!("Splunk {secret}") => reply(200, ""),
        _ => reply(refusal, "wrong token"),
    })
    .await
}

#[tokio::test]
async fn a_rotated_secret_is_read_again_when_the_old_one_is_refused() {
    for refusal in [401, 403] {
        let server = server_with("new-token", refusal).await;
        write_secret(&server, "old-token");
        let destination = Destination::new(&server, splunk(&server));
        assert_eq!(destination.send().await.expect("an answer").status, refusal);
        write_secret(&server, "new-token");
        pass(REFRESH_INTERVAL).await;
        assert_eq!(destination.send().await.expect("an answer").status, 200);
        let sent: Vec<_> =
            server.received().iter().map(|r| r.header("authorization").map(str::to_owned)).collect();
        let token = |value: &str| Some(format!("Splunk {value}"));
        assert_eq!(sent, [token("old-token"), token("old-token"), token("new-token")]);
    }
}

#[tokio::test]
async fn a_secret_that_did_not_change_is_not_sent_twice() {
    let server = server_with("another-token", 403).await;
    write_secret(&server, "wrong-token");
    let destination = Destination::new(&server, splunk(&server));
    assert_eq!(destination.send().await.expect("an answer").status, 403);
    pass(REFRESH_INTERVAL).await;
    assert_eq!(destination.send().await.expect("an answer").status, 403);
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn a_secret_that_no_header_can_hold_is_held_and_not_shown() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    write_secret(&server, "canary-line-1\ncanary-line-2");
    let error = Destination::new(&server, splunk(&server)).send().await.expect_err("it has two lines");
    assert_eq!(error.kind, AttemptErrorKind::Secret);
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn the_credential_of_the_destination_wins_over_anything_in_the_profile() {
    // A profile granted for one authentication is of no use with another: the credential is set last.
    let server = Server::answering(|_, _| reply(200, "")).await;
    write_secret(&server, "the-real-key");
    let mut profile = profile();
    profile.headers = vec![("DD-API-KEY".into(), "from-the-guest".into())];
    let mut destination = Destination::with(&server, Authentication::None, profile, client_config(&server));
    destination.target = Destination::new(
        &server,
        Authentication::Header {
            header: HeaderName::from_static("dd-api-key"),
            prefix: String::new(),
            secret: secret_reference(&server),
        },
    )
    .target;
    destination.send().await.expect("an answer");
    let values: Vec<_> = server.received()[0].headers.get_all("dd-api-key").iter().cloned().collect();
    assert_eq!(values, ["the-real-key"]);
}

#[tokio::test]
async fn a_secret_in_the_path_is_sent_and_nowhere_shown() {
    let server = Server::answering(|_, request| reply(403, format!("no service at {}", request.uri))).await;
    write_secret(&server, "T0CANARY1/B0CANARY2/canary-Xyz_9876543210");
    let authentication = Authentication::UrlPath { secret: secret_reference(&server) };
    let endpoint = server.url("/services/{secret}");
    let destination = Destination::at(endpoint, authentication, profile(), client_config(&server));
    let answer = destination.send().await.expect("an answer");
    let received = server.received();
    assert_eq!(received[0].uri.path(), "/services/T0CANARY1/B0CANARY2/canary-Xyz_9876543210/in");
    assert_eq!(answer.body, "no service at /services/[secret]/in");
    assert!(
        destination.granted.summary().ends_with("/services/{secret}/in"),
        "{}",
        destination.granted.summary()
    );
}

#[tokio::test]
async fn an_event_cannot_name_the_place_of_the_secret() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    write_secret(&server, "the-secret");
    let authentication = Authentication::UrlPath { secret: secret_reference(&server) };
    let profile = RequestProfile { path: "/{project}".into(), ..profile() };
    let destination =
        Destination::at(server.url("/{secret}"), authentication, profile, client_config(&server));
    let group = siemaphore_delivery::Group { project: Some("{secret}".into()), ..crate::group() };
    let body = destination.body(&[b"{}"]);
    destination.target.attempt(&destination.granted, &group, &body, None).await.expect("an answer");
    assert_eq!(server.received()[0].uri.path(), "/the-secret/%7Bsecret%7D");
}

#[tokio::test]
async fn a_secret_in_the_body_is_sent_once_and_nowhere_shown() {
    let server = Server::answering(|_, request| reply(400, request.body.clone())).await;
    write_secret(&server, "R0CANARY+/5f6a7b8c9d0e");
    let authentication =
        Authentication::BodyField { field: "routing_key".into(), secret: secret_reference(&server) };
    let profile = RequestProfile { framing: Framing::OnePerRequest, compression: Vec::new(), ..profile() };
    let destination = Destination::with(&server, authentication, profile, client_config(&server));
    let answer = destination.send().await.expect("an answer");
    assert_eq!(server.received()[0].body, r#"{"routing_key":"R0CANARY+/5f6a7b8c9d0e","a":1}"#);
    assert_eq!(answer.body, r#"{"routing_key":"[secret]","a":1}"#);

    let body = destination.body(&[br#"{"routing_key":"from an event"}"#]);
    let error = destination.target.attempt(&destination.granted, &crate::group(), &body, None).await;
    assert_eq!(error.expect_err("two of them").kind, AttemptErrorKind::Request);
    assert_eq!(server.received().len(), 1);
}

/// What a receiver that has the key expects.
fn signature(key: &[u8], signed: &[u8]) -> ring::hmac::Tag {
    ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key), signed)
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn the_compressed_body_is_what_an_hmac_signs_and_the_signature_is_not_shown() {
    let verify = |_, request: &crate::server::Received| {
        let header = request.header("x-hub-signature-256").expect("it is signed");
        let expected = format!("sha256={}", to_hex(signature(b"canary-key-7f3a", &request.body).as_ref()));
        assert_eq!(request.header("content-encoding"), Some("gzip"));
        let status = if header == expected { 400 } else { 401 };
        reply(status, format!("you sent {header}"))
    };
    let server = Server::answering(verify).await;
    write_secret(&server, "canary-key-7f3a");
    let authentication = Authentication::Hmac {
        header: HeaderName::from_static("x-hub-signature-256"),
        prefix: "sha256=".into(),
        secret: secret_reference(&server),
    };
    let destination = Destination::new(&server, authentication);
    let record = format!("{{\"a\":\"{}\"}}", "a".repeat(2000));
    let body = destination.body(&[record.as_bytes()]);
    let answer = destination.target.attempt(&destination.granted, &crate::group(), &body, None).await;
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, &answer.body[..]), (400, &b"you sent sha256=[secret]"[..]));
}

#[tokio::test]
async fn a_webhook_is_signed_with_its_id_and_time_and_keeps_its_id_when_sent_again() {
    let key = STANDARD.encode([7; 32]);
    let verify = |_, request: &crate::server::Received| {
        let [id, time, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"]
            .map(|name| request.header(name).expect(name));
        let age = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs()
            - time.parse::<u64>().expect("seconds");
        let signed = [format!("{id}.{time}.").as_bytes(), &request.body].concat();
        let expected = format!("v1,{}", STANDARD.encode(signature(&[7; 32], &signed)));
        let status = if age < 300 && signatures == expected { 503 } else { 401 };
        reply(status, format!("you sent {signatures}"))
    };
    let server = Server::answering(verify).await;
    write_secret(&server, &format!("whsec_{key}"));
    let destination =
        Destination::new(&server, Authentication::StandardWebhooks { secret: secret_reference(&server) });
    assert!(destination.target.names_messages());
    let id = MessageId::of_events([EventKey::from_bytes([5; 16])]);
    let body = destination.body(&[b"{}"]);
    for _ in 0..2 {
        let answer =
            destination.target.attempt(&destination.granted, &crate::group(), &body, Some(&id)).await;
        let answer = answer.expect("an answer");
        assert_eq!((answer.status, &answer.body[..]), (503, &b"you sent v1,[secret]"[..]));
    }
    let ids: Vec<_> = server.received().iter().map(|r| r.header("webhook-id").map(str::to_owned)).collect();
    assert_eq!(ids, [Some("05".repeat(16)), Some("05".repeat(16))]);
}

#[tokio::test]
async fn a_shared_key_signs_the_length_of_the_body_and_the_time() {
    let verify = |_, request: &crate::server::Received| {
        let authorization = request.header("authorization").expect("it is signed");
        let shown = authorization.strip_prefix("SharedKey workspace-1:").expect("the workspace");
        let date = request.header("x-ms-date").expect("a date");
        let type_of_body = request.header("content-type").expect("a type");
        let signed = format!("POST\n{}\n{type_of_body}\nx-ms-date:{date}\n/in", request.body.len());
        let expected = STANDARD.encode(signature(&[9; 64], signed.as_bytes()));
        reply(if shown == expected { 400 } else { 403 }, format!("you sent {shown}"))
    };
    let server = Server::answering(verify).await;
    write_secret(&server, &STANDARD.encode([9; 64]));
    let secret = secret_reference(&server);
    let authentication = Authentication::AzureSharedKey { workspace_id: "workspace-1".into(), secret };
    let answer = Destination::new(&server, authentication).send().await.expect("an answer");
    assert_eq!((answer.status, &answer.body[..]), (400, &b"you sent [secret]"[..]));
}

/// The server has its own reading of what was sent, byte by byte.
#[tokio::test]
async fn a_request_is_signed_for_aws_as_it_arrives() {
    let verify = |_, request: &crate::server::Received| {
        let header = |name| request.header(name).expect(name);
        let (time, digest) = (header("x-amz-date"), header("x-amz-content-sha256"));
        assert_eq!(digest, to_hex(ring::digest::digest(&ring::digest::SHA256, &request.body).as_ref()));
        let names = "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token";
        let lines: String = names.split(';').map(|name| format!("{name}:{}\n", header(name))).collect();
        let query = request.uri.query().unwrap_or_default();
        let canonical = format!("POST\n{}\n{query}\n{lines}\n{names}\n{digest}", request.uri.path());
        let scope = format!("{}/eu-central-1/logs/aws4_request", &time[..8]);
        let canonical = to_hex(ring::digest::digest(&ring::digest::SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical}");
        let key = scope.split('/').fold(b"AWS4canary-secret-key-1".to_vec(), |key, part| {
            signature(&key, part.as_bytes()).as_ref().to_vec()
        });
        let expected = to_hex(signature(&key, to_sign.as_bytes()).as_ref());
        let authorization = header("authorization");
        let credential =
            format!("Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={expected}");
        let status = if authorization == format!("AWS4-HMAC-SHA256 {credential}") { 400 } else { 403 };
        reply(
            status,
            format!(
                "{} {}",
                authorization.rsplit('=').next().expect("a signature"),
                header("x-amz-security-token")
            ),
        )
    };
    let server = Server::answering(verify).await;
    write_secret(&server, "canary-secret-key-1");
    let session_token = server.folder().join("session");
    std::fs::copy(server.folder().join("secret"), &session_token).expect("a file");
    std::fs::write(&session_token, "canary-session-token-1").expect("a file");
    let authentication = Authentication::AwsSigV4 {
        region: "eu-central-1".into(),
        service: "logs".into(),
        access_key_id: "AKIDEXAMPLE".into(),
        session_token: Some(SecretReference::File(session_token)),
        secret: secret_reference(&server),
    };
    let query = vec![("stream".into(), "a b+c".into()), ("group".into(), "ü".into())];
    let profile = RequestProfile { query, ..profile() };
    let destination = Destination::with(&server, authentication, profile, client_config(&server));
    let answer = destination.send().await.expect("an answer");
    assert_eq!((answer.status, &answer.body[..]), (400, &b"[secret] [secret]"[..]));
}

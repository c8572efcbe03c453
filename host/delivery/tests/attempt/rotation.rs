//! Several secrets, of which one is being replaced by another.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use siemaphore_delivery::{Authentication, TargetConfig};
use siemaphore_model::formatter::{Framing, RequestProfile};
use siemaphore_secrets::{REFRESH_INTERVAL, SecretReference};

use crate::server::{Received, Server, reply};
use crate::{Destination, client_config, pass, profile};

fn write(server: &Server, name: &str, value: &str) {
    let path = server.folder().join(name);
    fs::write(&path, value).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode is set");
}

fn reference(server: &Server, name: &str) -> SecretReference {
    SecretReference::File(server.folder().join(name))
}

/// A destination with the secrets `first`, `second` and `third`.
fn destination(
    server: &Server,
    authentication: impl FnOnce(SecretReference) -> Authentication,
) -> Destination {
    Destination::of(config(server, authentication), &profile())
}

fn config(server: &Server, authentication: impl FnOnce(SecretReference) -> Authentication) -> TargetConfig {
    TargetConfig {
        destination: "test".into(),
        endpoint: server.url(""),
        authentication: authentication(reference(server, "first")),
        client: client_config(server),
        client_certificate: None,
        further_secrets: vec![reference(server, "second"), reference(server, "third")],
    }
}

/// As a secret in the body needs it.
fn one_object() -> RequestProfile {
    RequestProfile { framing: Framing::OnePerRequest, compression: Vec::new(), ..profile() }
}

fn in_body(secret: SecretReference) -> Authentication {
    Authentication::BodyField { field: "key".into(), secret }
}

fn in_path(secret: SecretReference) -> Authentication {
    Authentication::UrlPath { secret }
}

fn key(secret: SecretReference) -> Authentication {
    Authentication::Header { header: HeaderName::from_static("x-key"), prefix: String::new(), secret }
}

/// Takes one key, and refuses others with this status.
async fn taking(taken: &'static str, refusal: u16) -> Server {
    let server = Server::answering(move |_, request| match request.header("x-key") {
        Some(key) if key == taken => reply(200, ""),
        key => reply(refusal, format!("you sent {}", key.unwrap_or_default())),
    })
    .await;
    for name in ["first", "second", "third"] {
        write(&server, name, &format!("canary-{name}"));
    }
    server
}

fn sent(server: &Server) -> Vec<String> {
    let key = |request: &Received| request.header("x-key").expect("a key").replace("canary-", "");
    server.received().iter().map(key).collect()
}

#[tokio::test]
async fn the_next_secret_is_tried_when_one_is_refused_and_the_one_that_is_taken_stays_first() {
    for refusal in [401, 403] {
        let server = taking("canary-second", refusal).await;
        let destination = destination(&server, key);
        for _ in 0..3 {
            assert_eq!(destination.send().await.expect("an answer").status, 200);
        }
        assert_eq!(sent(&server), ["first", "second", "second", "second"]);
    }
}

#[tokio::test]
async fn each_secret_is_tried_once_and_the_refusal_shows_none_of_them() {
    let server = taking("another", 403).await;
    let destination = destination(&server, key);
    let answer = destination.send().await.expect("an answer");
    assert_eq!((answer.status, answer.body.as_ref()), (403, b"you sent [secret]".as_ref()));
    assert_eq!(sent(&server), ["first", "second", "third"]);
}

#[tokio::test]
async fn when_the_secret_in_use_is_refused_the_search_begins_behind_it_and_goes_round() {
    let server = taking("canary-third", 401).await;
    let destination = destination(&server, key);
    assert_eq!(destination.send().await.expect("an answer").status, 200);
    write(&server, "third", "canary-withdrawn");
    write(&server, "second", "canary-third");
    pass(siemaphore_secrets::CACHE_TIME).await;
    assert_eq!(destination.send().await.expect("an answer").status, 200);
    assert_eq!(sent(&server), ["first", "second", "third", "withdrawn", "first", "third"]);
}

#[tokio::test]
async fn a_secret_that_was_replaced_in_its_place_goes_before_the_next() {
    let server = taking("canary-new", 401).await;
    let destination = destination(&server, key);
    assert_eq!(destination.send().await.expect("an answer").status, 401);
    write(&server, "first", "canary-new");
    pass(REFRESH_INTERVAL).await;
    assert_eq!(destination.send().await.expect("an answer").status, 200);
    assert_eq!(sent(&server), ["first", "second", "third", "first", "new"]);
}

#[tokio::test]
async fn a_secret_in_the_body_or_the_url_is_replaced_when_that_is_called_wrong() {
    type Scheme = fn(SecretReference) -> Authentication;
    let in_body: (Scheme, _, _) = (in_body, "", [400, 401, 403, 422]);
    let in_path: (Scheme, _, _) = (in_path, "/{secret}", [401, 403, 404, 410]);
    for (scheme, path, statuses) in [in_body, in_path] {
        for status in statuses {
            let server = Server::answering(move |_, request| {
                let sent = format!("{}{}", request.uri, String::from_utf8_lossy(&request.body));
                if sent.contains("canary-new") { reply(200, "") } else { reply(status, "wrong") }
            })
            .await;
            write(&server, "first", "canary-old");
            let alone = TargetConfig {
                endpoint: server.url(path),
                further_secrets: Vec::new(),
                ..config(&server, scheme)
            };
            let destination = Destination::of(alone, &one_object());
            assert_eq!(destination.send().await.expect("an answer").status, status);
            write(&server, "first", "canary-new");
            pass(REFRESH_INTERVAL).await;
            assert_eq!(destination.send().await.expect("an answer").status, 200, "{status}");
        }
    }
}

/// Where a body is called wrong, another secret is worth a try. Its refusal says nothing about the event.
#[tokio::test]
async fn of_several_refusals_that_of_the_usual_secret_counts() {
    let server = Server::answering(|_, request| {
        match String::from_utf8_lossy(&request.body).contains("canary-first") {
            true => reply(400, "bad event"),
            false => reply(400, "wrong key"),
        }
    })
    .await;
    for name in ["first", "second", "third"] {
        write(&server, name, &format!("canary-{name}"));
    }
    let destination = Destination::of(config(&server, in_body), &one_object());
    let answer = destination.send().await.expect("an answer");
    assert_eq!((answer.body.as_ref(), server.received().len()), (b"bad event".as_ref(), 3));
}

#[tokio::test]
async fn other_failures_try_no_other_secret() {
    let server = Server::answering(|_, _| reply(500, "")).await;
    write(&server, "first", "canary-first");
    assert_eq!(destination(&server, key).send().await.expect("an answer").status, 500);
    assert_eq!(sent(&server), ["first"]);
}

#[tokio::test]
async fn standard_webhooks_is_signed_with_every_secret_at_once() {
    let server = Server::answering(|_, _| reply(401, "")).await;
    for (name, byte) in [("first", 1), ("second", 2), ("third", 3)] {
        write(&server, name, &format!("whsec_{}", STANDARD.encode([byte; 32])));
    }
    let destination = destination(&server, |secret| Authentication::StandardWebhooks { secret });
    destination.send().await.expect("an answer");
    let received = server.received();
    assert_eq!(received.len(), 1, "a refusal of all is not repeated");
    let signatures: Vec<&str> = received[0].header("webhook-signature").expect("it").split(' ').collect();
    assert!(signatures.len() == 3 && signatures.iter().all(|one| one.starts_with("v1,")), "{signatures:?}");

    write(&server, "third", &format!("whsec_{}", STANDARD.encode([4; 32])));
    pass(REFRESH_INTERVAL).await;
    destination.send().await.expect("an answer");
    let last = server.received().last().expect("a request").clone();
    assert_eq!(server.received().len(), 3, "one of the secrets was replaced");
    assert_eq!(last.header("webhook-signature").expect("it").split(' ').count(), 3);
}

#[tokio::test]
async fn a_token_is_got_with_the_next_secret_when_its_endpoint_refuses_one() {
    let server = Server::answering(|_, request| {
        if request.uri.path() != "/token" {
            return reply(200, "");
        }
        match String::from_utf8_lossy(&request.body).contains("canary-third") {
            true => reply(200, r#"{"access_token":"token-1","expires_in":3599}"#),
            false => reply(401, r#"{"error":"invalid_client","error_description":"wrong"}"#),
        }
    })
    .await;
    for name in ["first", "second", "third"] {
        write(&server, name, &format!("canary-{name}"));
    }
    let token_url = server.url("/token");
    let oauth2 = |secret| Authentication::OAuth2ClientCredentials {
        token_url,
        client_id: "app-1".into(),
        secret,
        scope: "s".into(),
    };
    let destination = destination(&server, oauth2);
    for _ in 0..2 {
        assert_eq!(destination.send().await.expect("an answer").status, 200);
    }
    let paths: Vec<String> = server.received().iter().map(|one| one.uri.to_string()).collect();
    assert_eq!(paths, ["/token", "/token", "/token", "/in", "/in"]);

    write(&server, "third", "canary-withdrawn");
    pass(siemaphore_secrets::CACHE_TIME * 20).await;
    let error = destination.send().await.expect_err("no secret is taken");
    assert!(error.reason.contains("401") && error.needs_operator, "{error:?}");
    assert_eq!(server.received().len(), 5 + 3);
}

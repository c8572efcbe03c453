//! How a request is authenticated, and what happens when a SIEM refuses a credential.

use http::HeaderName;
use siemaphore_delivery::{AttemptErrorKind, Authentication, Decision};
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
    destination.target.attempt(&destination.granted, &group, &body).await.expect("an answer");
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
    let error = destination.target.attempt(&destination.granted, &crate::group(), &body).await;
    assert_eq!(error.expect_err("two of them").kind, AttemptErrorKind::Request);
    assert_eq!(server.received().len(), 1);
}

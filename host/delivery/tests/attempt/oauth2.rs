//! OAuth2 client credentials, with one server as token endpoint and SIEM.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use siemaphore_delivery::{Answer, AttemptError, AttemptErrorKind, Authentication, Decision};
use siemaphore_secrets::REFRESH_INTERVAL;

use crate::server::{Received, Server, reply};
use crate::{Destination, pass, secret_reference, write_secret};

const SECRET: &str = "client-secret +&= 8f2e";

fn authentication(server: &Server) -> Authentication {
    Authentication::OAuth2ClientCredentials {
        token_url: server.url("/tenant/oauth2/v2.0/token"),
        client_id: "app-1".into(),
        secret: secret_reference(server),
        scope: "https://monitor.azure.com/.default".into(),
    }
}

fn token(number: usize) -> Response<Bytes> {
    reply(
        200,
        format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"access-token-{number}"}}"#),
    )
}

fn is_for_token(request: &Received) -> bool {
    request.uri.path().ends_with("/token")
}

/// The tokens that the SIEM was shown, in order.
fn shown(server: &Server) -> Vec<String> {
    let requests = server.received();
    let to_siem = requests.iter().filter(|request| !is_for_token(request));
    to_siem
        .map(|request| request.header("authorization").expect("a token").replace("Bearer access-token-", ""))
        .collect()
}

fn token_requests(server: &Server) -> usize {
    server.received().iter().filter(|request| is_for_token(request)).count()
}

/// Takes what `token` answers as a token endpoint and judges what it is shown by `siem`.
async fn server(
    token: impl Fn(usize, &Received) -> Response<Bytes> + Send + Sync + 'static,
    siem: impl Fn(&str) -> u16 + Send + Sync + 'static,
) -> Server {
    let server = Server::answering(move |number, request| {
        if is_for_token(request) {
            return token(number, request);
        }
        let shown = request.header("authorization").unwrap_or_default();
        reply(siem(shown), format!("you sent {shown}"))
    })
    .await;
    write_secret(&server, SECRET);
    server
}

async fn send(server: &Server) -> Result<Answer, AttemptError> {
    Destination::new(server, authentication(server)).send().await
}

#[tokio::test]
async fn a_token_is_asked_for_as_the_standard_says_and_shown_to_the_siem() {
    let server = server(|number, _| token(number), |_| 204).await;
    assert_eq!(send(&server).await.expect("an answer").status, 204);
    let request = &server.received()[0];
    let form: HashMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!((form["client_id"].as_str(), form["client_secret"].as_str()), ("app-1", SECRET));
    assert_eq!(form["scope"], "https://monitor.azure.com/.default");
    assert_eq!(shown(&server), ["0"]);
}

#[tokio::test]
async fn one_token_serves_all_attempts_even_those_that_start_together() {
    let server = server(|number, _| token(number), |_| 204).await;
    let destination = Destination::new(&server, authentication(&server));
    let (one, two, three) = tokio::join!(destination.send(), destination.send(), destination.send());
    for answer in [one, two, three, destination.send().await] {
        assert_eq!(answer.expect("an answer").status, 204);
    }
    assert_eq!((token_requests(&server), shown(&server).len()), (1, 4));
}

#[tokio::test]
async fn a_token_is_replaced_five_minutes_before_it_expires() {
    let server = server(|number, _| token(number), |_| 204).await;
    let destination = Destination::new(&server, authentication(&server));
    for (advance, tokens) in [(0, 1), (3290, 1), (10, 2)] {
        pass(Duration::from_secs(advance)).await;
        destination.send().await.expect("an answer");
        assert_eq!(token_requests(&server), tokens, "after {advance} more seconds");
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server =
        server(|number, _| token(number), |shown| if shown.ends_with("-0") { 401 } else { 204 }).await;
    let destination = Destination::new(&server, authentication(&server));
    assert_eq!(destination.send().await.expect("an answer").status, 204);
    assert_eq!(destination.send().await.expect("an answer").status, 204);
    assert_eq!(shown(&server), ["0", "2", "2"]);
}

#[tokio::test]
async fn a_siem_that_refuses_every_token_gets_two_in_one_attempt() {
    let server = server(|number, _| token(number), |_| 401).await;
    assert_eq!(send(&server).await.expect("an answer").status, 401);
    assert_eq!((token_requests(&server), shown(&server).len()), (2, 2));
}

#[tokio::test]
async fn missing_rights_are_no_reason_for_a_new_token() {
    let server = server(|number, _| token(number), |_| 403).await;
    assert_eq!(send(&server).await.expect("an answer").status, 403);
    assert_eq!((token_requests(&server), shown(&server).len()), (1, 1));
}

#[tokio::test]
async fn neither_token_nor_client_secret_is_in_an_answer_or_an_error() {
    let server = server(|number, _| token(number), |_| 403).await;
    let answer = send(&server).await.expect("an answer");
    assert_eq!(answer.body, "you sent Bearer [secret]");

    let echo = |_: usize, request: &Received| {
        let sent = String::from_utf8_lossy(&request.body).into_owned();
        reply(400, format!(r#"{{"error":"invalid_request","error_description":"{sent} {SECRET}"}}"#))
    };
    let server = self::server(echo, |_| 204).await;
    let error = send(&server).await.expect_err("there is no token");
    let seen = format!("{error} {error:?}");
    assert!(!seen.contains("8f2e") && seen.contains("[secret]"), "{seen}");
}

#[tokio::test]
async fn a_refusing_token_endpoint_holds_the_destination_with_a_hint() {
    let refusal =
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
    let server = server(move |_, _| reply(401, refusal), |_| 204).await;
    let error = send(&server).await.expect_err("there is no token");
    assert_eq!(error.kind, AttemptErrorKind::Token);
    let Decision::Hold { reason, hint } = error.decision() else { panic!("{error:?} is held") };
    assert!(reason.contains("AADSTS7000215") && hint.contains("Value"), "{reason} {hint}");
    assert!(shown(&server).is_empty());
}

#[tokio::test]
async fn a_busy_token_endpoint_is_asked_again_when_it_says() {
    let busy = |_: usize, _: &Received| {
        let mut answer = reply(429, "");
        answer.headers_mut().insert("retry-after", "17".parse().expect("a value"));
        answer
    };
    let server = server(busy, |_| 204).await;
    let error = send(&server).await.expect_err("there is no token");
    let Decision::Retry { after, .. } = error.decision() else { panic!("{error:?} is tried again") };
    assert_eq!(after, Some(Duration::from_secs(17)));
}

#[tokio::test]
async fn a_token_endpoint_that_redirects_is_not_followed() {
    let redirect = |_: usize, _: &Received| {
        let mut answer = reply(307, "");
        answer.headers_mut().insert("location", "/elsewhere/token".parse().expect("a value"));
        answer
    };
    let server = server(redirect, |_| 204).await;
    let error = send(&server).await.expect_err("there is no token");
    assert!(matches!(error.decision(), Decision::Hold { .. }));
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_rotated_client_secret_is_read_again_when_the_old_one_is_refused() {
    let only_new = |number: usize, request: &Received| {
        let form: HashMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        if form["client_secret"] == "rotated-secret" {
            return token(number);
        }
        reply(401, r#"{"error":"invalid_client"}"#)
    };
    let server = server(only_new, |_| 204).await;
    let destination = Destination::new(&server, authentication(&server));
    destination.send().await.expect_err("the old secret is refused");
    write_secret(&server, "rotated-secret");
    pass(REFRESH_INTERVAL).await;
    assert_eq!(destination.send().await.expect("an answer").status, 204);
}

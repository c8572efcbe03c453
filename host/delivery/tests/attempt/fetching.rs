//! Getting what others have: with credentials, and nowhere else than configured.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use siemaphore_delivery::{AttemptErrorKind, Authentication, Fetch, FetchConfig};
use siemaphore_secrets::{REFRESH_INTERVAL, SecretReference, Secrets};
use tokio::sync::mpsc::unbounded_channel;

use crate::server::{Server, reply};
use crate::{client_config, pass, secret_reference, write_secret};

fn config(server: &Server) -> FetchConfig {
    FetchConfig {
        name: "export".to_owned(),
        url: server.url("/export?since=0"),
        authentication: Authentication::Bearer { secret: secret_reference(server) },
        further_secrets: Vec::new(),
        client: client_config(server),
    }
}

fn fetch(server: &Server) -> Fetch {
    Fetch::new(config(server), Arc::new(Secrets::new())).expect("it can be fetched")
}

#[tokio::test]
async fn a_request_carries_its_headers_and_the_credential_and_the_body_comes_back_as_it_is() {
    let server = Server::answering(|_, _| {
        let mut answer = reply(200, "{\"echo\":\"fetch-token-1\"}");
        answer.headers_mut().insert("x-echo", HeaderValue::from_static("Bearer fetch-token-1"));
        answer.headers_mut().insert("retry-after", HeaderValue::from_static("7"));
        answer
    })
    .await;
    write_secret(&server, "fetch-token-1");
    let headers =
        HeaderMap::from_iter([(http::header::ACCEPT, HeaderValue::from_static("text/event-stream"))]);
    let fetched = fetch(&server).get(&server.url("/export?since=9"), headers).await.expect("an answer");
    assert_eq!((fetched.head.status, fetched.retry_after), (200, Some(Duration::from_secs(7))));
    assert_eq!(fetched.body, Bytes::from_static(b"{\"echo\":\"fetch-token-1\"}"));
    // What may be shown to an operator holds no secret.
    assert_eq!(fetched.head.header("x-echo"), Some("Bearer [secret]"));
    let request = server.received().remove(0);
    assert_eq!((request.method.as_str(), request.uri.to_string()), ("GET", "/export?since=9".to_owned()));
    assert_eq!(request.header("authorization"), Some("Bearer fetch-token-1"));
    assert_eq!(request.header("accept"), Some("text/event-stream"));
}

#[tokio::test]
async fn a_credential_that_was_rotated_is_read_again_after_a_refusal() {
    let server = Server::answering(|_, request| match request.header("authorization") {
        Some("Bearer fetch-token-2") => reply(200, "[]"),
        _ => reply(401, ""),
    })
    .await;
    write_secret(&server, "fetch-token-1");
    let fetch = fetch(&server);
    let first = fetch.get(fetch.url(), HeaderMap::new()).await.expect("an answer");
    assert_eq!(first.head.status, 401);
    write_secret(&server, "fetch-token-2");
    pass(REFRESH_INTERVAL).await;
    let second = fetch.get(fetch.url(), HeaderMap::new()).await.expect("an answer");
    assert_eq!((second.head.status, second.body), (200, Bytes::from_static(b"[]")));
}

#[tokio::test]
async fn a_credential_goes_to_no_other_host_port_or_scheme() {
    let (server, other) =
        (Server::answering(|_, _| reply(200, "")).await, Server::answering(|_, _| reply(200, "")).await);
    write_secret(&server, "fetch-token-1");
    let fetch = fetch(&server);
    let plain = server.url("/").to_string().replacen("https", "http", 1).parse().expect("a URL");
    for elsewhere in [other.url("/"), plain, "https://example.com/".parse().expect("a URL")] {
        let error = fetch.get(&elsewhere, HeaderMap::new()).await.expect_err("it is elsewhere");
        assert_eq!((error.kind, error.needs_operator), (AttemptErrorKind::Request, true), "{elsewhere}");
    }
    assert!(server.received().is_empty() && other.received().is_empty());
}

#[tokio::test]
async fn a_stream_is_opened_with_the_credential_and_its_head_is_cleaned() {
    let (sender, pieces) = unbounded_channel();
    let server = Server::saying(pieces).await;
    write_secret(&server, "fetch-token-1");
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-echo: fetch-token-1\r\n\r\ndata: a\n\n";
    sender.send(Bytes::from_static(head.as_bytes())).expect("it listens");
    let mut opened = fetch(&server).open(HeaderMap::new(), Duration::from_secs(60)).await.expect("an answer");
    assert_eq!((opened.head.status, opened.head.header("x-echo")), (200, Some("[secret]")));
    assert_eq!(opened.stream.next().await, Ok(Some(Bytes::from_static(b"data: a\n\n"))));
}

#[tokio::test]
async fn of_several_secrets_the_one_that_is_in_force_is_found_and_kept() {
    let server = Server::answering(|_, request| match request.header("authorization") {
        Some("Bearer fetch-token-2") => reply(200, "[]"),
        _ => reply(401, ""),
    })
    .await;
    write_secret(&server, "fetch-token-1");
    let second = server.folder().join("second");
    std::fs::copy(server.folder().join("secret"), &second).expect("a copy");
    std::fs::write(&second, "fetch-token-2").expect("a written file");
    let config = FetchConfig { further_secrets: vec![SecretReference::File(second)], ..config(&server) };
    let fetch = Fetch::new(config, Arc::new(Secrets::new())).expect("it can be fetched");
    for _ in 0..2 {
        let fetched = fetch.get(fetch.url(), HeaderMap::new()).await.expect("an answer");
        assert_eq!(fetched.head.status, 200);
    }
    assert_eq!(server.received().len(), 3);
}

//! The client against real servers over real TLS.

mod addresses;
mod examine;
mod identity;
mod pins;
mod server;
mod streams;

use std::io::Write;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzEncoder;
use http::{HeaderMap, Method};
use rcgen::{BasicConstraints, IsCa};
use siemaphore_http::{
    Answer, Client, ClientConfig, EgressPolicy, Lookup, Request, SendError, TlsConfigError, TlsFault,
};
use url::Url;

use crate::server::{Certificate, Server, reply};

fn config(server: &Server) -> ClientConfig {
    ClientConfig {
        ca_file: Some(server.ca_file()),
        egress: Arc::new(EgressPolicy::loopback()),
        ..ClientConfig::default()
    }
}

fn client(server: &Server) -> Client {
    Client::new(&config(server)).expect("a client")
}

fn post(url: Url) -> Request {
    Request { method: Method::POST, url, headers: HeaderMap::new(), body: Bytes::from_static(b"{}") }
}

async fn failure(client: &Client, url: Url) -> SendError {
    let error = client.send(post(url)).await.expect_err("there is no answer");
    assert!(!error.hint().is_empty());
    error
}

#[tokio::test]
async fn a_server_with_a_trusted_certificate_gets_the_request_and_its_answer_comes_back() {
    let server = Server::answering(|_, request| {
        let mut answer = reply(202, request.body.clone());
        answer.headers_mut().insert("x-path", request.uri.to_string().parse().expect("a value"));
        answer
    })
    .await;
    let answer = client(&server).send(post(server.url("/in?a=b"))).await.expect("an answer");
    assert_eq!((answer.status, answer.body, answer.truncated), (202, Bytes::from_static(b"{}"), false));
    assert_eq!(answer.headers["x-path"], "/in?a=b");
    assert_eq!(server.received()[0].method, Method::POST);
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let (server, other) =
        (Server::answering(|_, _| reply(200, "")).await, Server::answering(|_, _| reply(200, "")).await);
    let client =
        Client::new(&ClientConfig { ca_file: Some(other.ca_file()), ..config(&server) }).expect("a client");
    let error = failure(&client, server.url("/")).await;
    assert!(matches!(&error, SendError::Tls { fault: TlsFault::UnknownIssuer, .. }), "{error:?}");
    assert!(error.needs_operator() && error.hint().contains("CA file"));
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn the_authorities_of_the_system_do_not_vouch_for_a_certificate_made_here() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    // A machine without any roots cannot build the client, which is as good.
    if let Ok(client) = Client::new(&ClientConfig { ca_file: None, ..config(&server) }) {
        let error = failure(&client, server.url("/")).await;
        assert!(matches!(error, SendError::Tls { .. }), "{error:?}");
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = Server::with_certificate(Certificate::for_another_name(), |_, _| reply(200, "")).await;
    let error = failure(&client(&server), server.url("/")).await;
    assert!(matches!(&error, SendError::Tls { fault: TlsFault::WrongName(_), .. }), "{error:?}");
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let server = Server::with_certificate(Certificate::expired(), |_, _| reply(200, "")).await;
    let error = failure(&client(&server), server.url("/")).await;
    assert!(matches!(&error, SendError::Tls { fault: TlsFault::Expired, .. }), "{error:?}");
    assert!(server.received().is_empty());
}

/// What `openssl req -x509` makes by itself, and with the extensions that the hint names.
#[tokio::test]
async fn a_self_signed_certificate_serves_unless_it_is_that_of_an_authority() {
    let authority = Certificate::self_signed(IsCa::Ca(BasicConstraints::Unconstrained));
    let server = Server::with_certificate(authority, |_, _| reply(200, "")).await;
    let error = failure(&client(&server), server.url("/")).await;
    assert!(matches!(&error, SendError::Tls { fault: TlsFault::AuthorityAsServer, .. }), "{error:?}");
    assert!(error.needs_operator() && error.hint().contains("CA:FALSE"), "{error}");
    assert!(server.received().is_empty());

    let own = Certificate::self_signed(IsCa::ExplicitNoCa);
    let server = Server::with_certificate(own, |_, _| reply(200, "")).await;
    assert_eq!(client(&server).send(post(server.url("/"))).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_certificate_that_is_not_for_servers_is_refused() {
    let server = Server::with_certificate(Certificate::for_clients_only(), |_, _| reply(200, "")).await;
    let error = failure(&client(&server), server.url("/")).await;
    assert!(matches!(&error, SendError::Tls { fault: TlsFault::NotForServers, .. }), "{error:?}");
    assert!(error.hint().contains("serverAuth") && server.received().is_empty());
}

#[tokio::test]
async fn a_server_without_tls_is_named_as_such() {
    let server = Server::plain().await;
    let error = failure(&client(&server), server.url("/")).await;
    assert!(matches!(&error, SendError::Tls { fault: TlsFault::NotTls, .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = Server::answering(|_, _| {
        let mut answer = reply(307, "");
        answer.headers_mut().insert("location", "/elsewhere".parse().expect("a value"));
        answer
    })
    .await;
    let answer = client(&server).send(post(server.url("/"))).await.expect("an answer");
    assert_eq!((answer.status, server.received().len()), (307, 1));
}

#[tokio::test]
async fn cookies_are_not_kept() {
    let server = Server::answering(|_, _| {
        let mut answer = reply(200, "");
        answer.headers_mut().insert("set-cookie", "a=b".parse().expect("a value"));
        answer
    })
    .await;
    let client = client(&server);
    for _ in 0..2 {
        client.send(post(server.url("/"))).await.expect("an answer");
    }
    assert_eq!(server.received()[1].header("cookie"), None);
    assert_eq!(server.received()[1].header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn an_address_that_is_not_open_is_never_dialled() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    let client = Client::new(&ClientConfig { egress: Arc::default(), ..config(&server) }).expect("a client");
    let port = server.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "0.0.0.0",
    ] {
        let url = Url::parse(&format!("https://{host}:{port}/")).expect(host);
        let error = failure(&client, url).await;
        assert!(matches!(error, SendError::Url(_) | SendError::Refused { .. }), "{host}: {error:?}");
        assert!(error.needs_operator(), "{host}");
    }
    assert!(server.received().is_empty());
}

/// Answers the first time with an address that is open, and then with the metadata service.
struct Rebinding(AtomicUsize);

impl Lookup for Rebinding {
    fn lookup<'a>(
        &'a self,
        _name: &'a str,
    ) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'a>> {
        let first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
        let address = if first { "127.0.0.1" } else { "169.254.169.254" };
        Box::pin(async move { Ok(vec![address.parse().expect("an address")]) })
    }
}

#[tokio::test]
async fn a_name_is_checked_again_each_time_that_it_is_dialled() {
    let server = Server::answering(|_, _| {
        let mut answer = reply(200, "");
        answer.headers_mut().insert("connection", "close".parse().expect("a value"));
        answer
    })
    .await;
    let lookup = Arc::new(Rebinding(AtomicUsize::new(0)));
    let client = Client::with_lookup(&config(&server), lookup).expect("a client");
    let url = Url::parse(&format!("https://siem.test:{}/", server.port())).expect("a URL");
    assert_eq!(client.send(post(url.clone())).await.expect("an answer").status, 200);
    let error = failure(&client, url).await;
    assert!(matches!(&error, SendError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("169.254.169.254"), "{error}");
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_matter_of_dns() {
    let server = Server::silent().await;
    let error = failure(&client(&server), Url::parse("https://siem.invalid/").expect("a URL")).await;
    assert!(matches!(&error, SendError::Dns { .. }), "{error:?}");
    assert!(!error.needs_operator());
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_a_matter_of_connecting() {
    let server = Server::silent().await;
    let free =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
    let error = failure(&client(&server), Url::parse(&format!("https://{free}/")).expect("a URL")).await;
    assert!(matches!(&error, SendError::Connect { .. }), "{error:?}");
    assert!(!error.needs_operator());
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_is_given_up() {
    let server = Server::silent().await;
    let config = ClientConfig { request_timeout: Duration::from_millis(200), ..config(&server) };
    let error = failure(&Client::new(&config).expect("a client"), server.url("/")).await;
    assert!(matches!(&error, SendError::Timeout { .. } | SendError::ConnectTimeout { .. }), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_is_a_reset() {
    let server = Server::writing(b"").await;
    let error = failure(&client(&server), server.url("/")).await;
    assert!(matches!(&error, SendError::Reset { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let server = Server::writing(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"text\":").await;
    let error = failure(&client(&server), server.url("/")).await;
    assert!(matches!(&error, SendError::Body { .. }), "{error:?}");
    assert!(!error.needs_operator());
}

fn gzip_bomb() -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = [0; 1024 * 1024];
    for _ in 0..64 {
        encoder.write_all(&zeros).expect("compressed");
    }
    encoder.finish().expect("compressed").into()
}

async fn compressed_answer(encoding: &'static str, body: Bytes) -> Answer {
    let server = Server::answering(move |_, _| {
        let mut answer = reply(200, body.clone());
        answer.headers_mut().insert("content-encoding", encoding.parse().expect("a value"));
        answer
    })
    .await;
    client(&server).send(post(server.url("/"))).await.expect("an answer")
}

#[tokio::test]
async fn a_gzip_answer_that_explodes_is_cut_at_the_limit() {
    let answer = compressed_answer("gzip", gzip_bomb()).await;
    assert_eq!((answer.body.len(), answer.truncated), (ClientConfig::default().answer_bytes, true));
}

#[tokio::test]
async fn an_answer_in_an_unknown_encoding_is_empty_and_truncated() {
    let answer = compressed_answer("br", Bytes::from_static(b"who knows")).await;
    assert_eq!((answer.status, answer.body.len(), answer.truncated), (200, 0, true));
}

#[tokio::test]
async fn a_long_answer_is_cut_at_the_limit() {
    let server = Server::answering(|_, _| reply(200, vec![b'a'; 100_000])).await;
    let client = Client::new(&ClientConfig { answer_bytes: 1000, ..config(&server) }).expect("a client");
    let answer = client.send(post(server.url("/"))).await.expect("an answer");
    assert_eq!((answer.body.len(), answer.truncated), (1000, true));
}

#[tokio::test]
async fn no_error_shows_the_path_or_the_query_of_its_url() {
    let canary = "/canary-path?key=canary-query";
    let silent = Server::silent().await;
    let (cut, closed) =
        (Server::writing(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1").await, Server::writing(b"").await);
    let garbage = Server::writing(b"SSH-2.0-OpenSSH_9.9\r\n").await;
    let (plain, expired) = (
        Server::plain().await,
        Server::with_certificate(Certificate::expired(), |_, _| reply(200, "")).await,
    );
    for server in [&silent, &cut, &closed, &garbage, &plain, &expired] {
        let config = ClientConfig { request_timeout: Duration::from_millis(500), ..config(server) };
        let error = failure(&Client::new(&config).expect("a client"), server.url(canary)).await;
        assert!(!format!("{error} {error:?} {}", error.hint()).contains("canary"), "{error:?}");
    }
    for host in ["siem.invalid", "169.254.169.254", "127.0.0.1:1"] {
        let error =
            failure(&client(&silent), Url::parse(&format!("https://{host}{canary}")).expect(host)).await;
        assert!(!format!("{error} {error:?} {}", error.hint()).contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_ca_file_that_cannot_be_used_is_an_error_before_anything_is_sent() {
    let server = Server::silent().await;
    let path = server.folder().join("other.pem");
    let error = || match Client::new(&ClientConfig { ca_file: Some(path.clone()), ..config(&server) }) {
        Err(siemaphore_http::ClientError::Tls(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("there is no usable CA"),
    };
    assert!(matches!(error(), TlsConfigError::Unreadable { .. }));
    for (content, expected) in [
        ("", "holds no certificate"),
        ("not PEM at all", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n", "is not PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used"),
    ] {
        std::fs::write(&path, content).expect("the file is written");
        assert!(error().to_string().contains(expected), "{}", error());
    }
}

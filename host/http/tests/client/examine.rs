//! Looking at servers without a request.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use siemaphore_http::{Client, ClientConfig, EgressPolicy, ExamineError, Lookup, SendError, TlsFault};
use url::Url;

use crate::server::{Certificate, Server, reply};
use crate::{client, config};

async fn refused(client: &Client, url: Url) -> ExamineError {
    let error = client.examine(&url).await.expect_err("there is something wrong");
    assert!(!error.error.hint().is_empty());
    error
}

#[tokio::test]
async fn a_server_shows_its_address_tls_version_and_certificate_and_gets_no_request() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    let examined = client(&server).examine(&server.url("/")).await.expect("an examination");
    assert_eq!(examined.addresses, ["127.0.0.1".parse::<IpAddr>().expect("an address")]);
    let tls = examined.tls.expect("TLS");
    assert_eq!(tls.version, "TLS 1.3");
    let certificate = tls.certificate.expect("a certificate");
    // 32 bytes of two digits, and the colons between.
    assert_eq!(certificate.fingerprint.len(), 32 * 3 - 1, "{certificate:?}");
    assert!(certificate.issuer.starts_with("CN="), "{certificate:?}");
    assert!(certificate.not_after > SystemTime::now() + Duration::from_secs(86_400), "{certificate:?}");
    assert_eq!(server.received().len(), 0);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_shown_with_the_reason() {
    let (server, other) = (Server::answering(|_, _| reply(200, "")).await, Server::silent().await);
    let elsewhere = ClientConfig { ca_file: Some(other.ca_file()), ..config(&server) };
    let error = refused(&Client::new(&elsewhere).expect("a client"), server.url("/")).await;
    let fault = TlsFault::UnknownIssuer;
    assert_eq!(error.error, SendError::Tls { host: "127.0.0.1".into(), fault });
    let presented = error.certificate.expect("what was presented");
    let trusted = client(&server).examine(&server.url("/")).await.expect("an examination");
    assert_eq!(Some(presented), trusted.tls.expect("TLS").certificate);
    assert_eq!(server.received().len(), 0, "nothing is said to a server that is not trusted");
}

#[tokio::test]
async fn an_expired_certificate_shows_when_it_expired() {
    let server = Server::with_certificate(Certificate::expired(), |_, _| reply(200, "")).await;
    let error = refused(&client(&server), server.url("/")).await;
    assert!(matches!(error.error, SendError::Tls { fault: TlsFault::Expired, .. }), "{error:?}");
    let year_2020 = SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800);
    assert_eq!(error.certificate.expect("what was presented").not_after, year_2020);
}

#[tokio::test]
async fn what_is_no_tls_what_is_not_there_and_what_may_not_be_dialled_is_told_apart() {
    let server = Server::plain().await;
    let error = refused(&client(&server), server.url("/")).await.error;
    assert!(matches!(error, SendError::Tls { fault: TlsFault::NotTls, .. }), "{error:?}");

    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let error =
        refused(&client(&server), Url::parse(&format!("https://{free}/")).expect("a URL")).await.error;
    assert!(matches!(error, SendError::Connect { .. }), "{error:?}");

    let closed = Client::new(&ClientConfig::default()).expect("a client");
    let error = refused(&closed, server.url("/")).await.error;
    assert!(matches!(error, SendError::Url(_)), "{error:?}");
}

/// Two addresses for every name: this machine, and one that nobody has opened.
struct TwoAddresses;

impl Lookup for TwoAddresses {
    fn lookup<'a>(
        &'a self,
        _name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        let addresses = ["10.0.0.1", "127.0.0.1"].map(|address| address.parse().expect("an address"));
        Box::pin(async move { Ok(addresses.to_vec()) })
    }
}

#[tokio::test]
async fn an_address_that_is_closed_is_named_and_not_dialled() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    let url = Url::parse(&format!("https://siem.test:{}/", server.port())).expect("a URL");
    let client = Client::with_lookup(&config(&server), Arc::new(TwoAddresses)).expect("a client");
    let examined = client.examine(&url).await.expect("one address is open");
    assert_eq!(examined.addresses.len(), 1);
    assert_eq!(examined.refused[0].to_string(), "the address 10.0.0.1 is private");

    let policy = EgressPolicy { allow: Vec::new() };
    let config = ClientConfig { egress: Arc::new(policy), ..config(&server) };
    let client = Client::with_lookup(&config, Arc::new(TwoAddresses)).expect("a client");
    let error = refused(&client, url).await.error;
    assert!(matches!(error, SendError::Refused { .. }), "{error:?}");
}

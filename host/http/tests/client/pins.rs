//! Servers whose key is pinned.

use rcgen::IsCa;
use siemaphore_http::{CertificatePin, Client, ClientConfig, SendError, TlsFault};

use crate::server::{Certificate, Server, reply};
use crate::{client, config, failure, post};

/// A pin of nobody.
const OTHER: &str = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

async fn server(certificate: Certificate) -> Server {
    Server::with_certificate(certificate, |_, _| reply(200, "")).await
}

fn pinned(server: &Server, pins: &[&str]) -> Client {
    let pins = pins.iter().map(|pin| pin.parse().expect("a pin")).collect();
    Client::new(&ClientConfig { pins, ..config(server) }).expect("a client")
}

/// What a look at the server shows.
async fn pin_of(server: &Server) -> CertificatePin {
    let examined = client(server).examine(&server.url("/")).await.expect("an examination");
    examined.tls.expect("TLS").certificate.expect("a certificate").pin
}

#[tokio::test]
async fn a_server_with_another_key_is_refused_and_its_key_is_named_as_the_configuration_takes_it() {
    for certificate in [Certificate::valid(), Certificate::valid().over_tls_1_2()] {
        let server = server(certificate).await;
        let error = failure(&pinned(&server, &[OTHER]), server.url("/")).await;
        let SendError::Tls { fault: TlsFault::NotPinned(seen), .. } = &error else { panic!("{error:?}") };
        assert!(error.needs_operator() && error.hint().contains("certificate_pins"), "{error}");
        assert_eq!(server.received().len(), 0, "nothing is said to it");

        assert_eq!(*seen, pin_of(&server).await);
        let named = error.to_string();
        let (_, named) = named.rsplit_once(' ').expect("words");
        let client = pinned(&server, &[OTHER, named]);
        assert_eq!(client.send(post(server.url("/"))).await.expect("an answer").status, 200);
    }
}

#[tokio::test]
async fn a_pin_replaces_no_other_check() {
    for (certificate, fault) in [
        (Certificate::expired(), TlsFault::Expired),
        (Certificate::self_signed(IsCa::NoCa), TlsFault::UnknownIssuer),
    ] {
        let (server, other) = (server(certificate).await, server(Certificate::valid()).await);
        let ca_file = match fault {
            TlsFault::UnknownIssuer => other.ca_file(),
            _ => server.ca_file(),
        };
        let config = ClientConfig { ca_file: Some(ca_file), ..config(&server) };
        let looked = Client::new(&config).expect("a client").examine(&server.url("/")).await;
        let presented = looked.expect_err("it is not trusted").certificate.expect("a certificate");
        let client = Client::new(&ClientConfig { pins: vec![presented.pin], ..config }).expect("a client");
        let error = failure(&client, server.url("/")).await;
        assert_eq!(error, SendError::Tls { host: "127.0.0.1".into(), fault });
        assert_eq!(server.received().len(), 0);
    }
}

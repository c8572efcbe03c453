//! Servers that demand a certificate.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use siemaphore_http::{Client, ClientIdentity, IdentityError, SendError, TlsFault};

use crate::server::{Certificate, Server, reply};
use crate::{client, failure, post};

/// A client's certificate and its authority.
struct Issued {
    authority: CertificateDer<'static>,
    certificate: String,
    key: String,
}

impl Issued {
    fn new() -> Issued {
        Self::made(|_| ())
    }

    fn made(change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let authority_key = KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::default();
        let name: String =
            authority_key.public_key_raw().iter().map(|byte| format!("{byte:02x}")).take(16).collect();
        authority.distinguished_name.push(DnType::CommonName, name);
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let authority = CertifiedIssuer::self_signed(authority, authority_key).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["siemaphore".to_owned()]).expect("a name");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        Issued {
            authority: authority.der().clone(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    fn identity(&self) -> Result<ClientIdentity, IdentityError> {
        ClientIdentity::from_pem(&self.certificate, &self.key)
    }

    async fn server(&self, over_tls_1_2: bool) -> Server {
        let certificate = Certificate::demanding_one_of(&self.authority);
        let certificate = if over_tls_1_2 { certificate.over_tls_1_2() } else { certificate };
        Server::with_certificate(certificate, |_, _| reply(200, "")).await
    }
}

fn showing(server: &Server, issued: &Issued) -> Client {
    client(server).showing(&issued.identity().expect("an identity")).expect("a client")
}

async fn fault(client: &Client, server: &Server) -> Option<TlsFault> {
    let error = failure(client, server.url("/")).await;
    assert!(error.needs_operator(), "{error:?}");
    match error {
        SendError::Tls { fault, .. } => Some(fault),
        _ => None,
    }
}

#[tokio::test]
async fn a_server_that_demands_a_certificate_is_shown_it() {
    let issued = Issued::new();
    for over_tls_1_2 in [false, true] {
        let server = issued.server(over_tls_1_2).await;
        let client = showing(&server, &issued);
        assert_eq!(client.send(post(server.url("/"))).await.expect("an answer").status, 200);
        assert!(client.examine(&server.url("/")).await.is_ok());
    }
}

#[tokio::test]
async fn a_server_that_gets_no_certificate_or_one_of_a_stranger_says_what_it_misses() {
    let issued = Issued::new();
    for over_tls_1_2 in [false, true] {
        let server = issued.server(over_tls_1_2).await;
        assert_eq!(fault(&client(&server), &server).await, Some(TlsFault::ClientCertificateDemanded));
        let refused = fault(&showing(&server, &Issued::new()), &server).await;
        assert!(matches!(refused, Some(TlsFault::ClientCertificateRefused(_))), "{refused:?}");
        assert_eq!(server.received().len(), 0);
    }
}

#[tokio::test]
async fn a_connection_is_not_shared_by_clients_that_show_different_certificates() {
    let issued = Issued::new();
    let server = issued.server(false).await;
    let known = showing(&server, &issued);
    known.send(post(server.url("/"))).await.expect("an answer");
    let stranger = known.showing(&Issued::new().identity().expect("an identity")).expect("a client");
    assert!(fault(&stranger, &server).await.is_some());
    known.send(post(server.url("/"))).await.expect("an answer");
    assert_eq!(server.received().len(), 2);
}

#[test]
fn a_certificate_and_a_key_have_to_be_there_and_to_belong_together() {
    let (one, other) = (Issued::new(), Issued::new());
    let not_for_clients = Issued::made(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let any_use = Issued::made(|params| params.extended_key_usages.clear());
    assert!(any_use.identity().is_ok());
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIF\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let old_encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let unsupported = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let damaged = one.certificate.replace("MII", "!II");
    let both = format!("{}{}", one.key, one.certificate);
    assert!(ClientIdentity::from_pem(&both, &both).is_ok(), "one file may hold both");
    for (certificate, key, expected) in [
        ("canary", one.key.as_str(), IdentityError::NoCertificate(None)),
        (&one.key, &one.key, IdentityError::NoCertificate(Some("PRIVATE KEY".to_owned()))),
        (&damaged, &one.key, IdentityError::BadCertificate("its PEM is damaged".to_owned())),
        (&one.certificate, "canary", IdentityError::NoKey(None)),
        (&one.certificate, &one.certificate, IdentityError::NoKey(Some("CERTIFICATE".to_owned()))),
        (&one.certificate, encrypted, IdentityError::EncryptedKey),
        (&one.certificate, old_encrypted, IdentityError::EncryptedKey),
        (&one.certificate, unsupported, IdentityError::UnsupportedKey),
        (&one.certificate, &other.key, IdentityError::KeyMismatch),
        (&not_for_clients.certificate, &not_for_clients.key, IdentityError::NotForClients),
    ] {
        let error = ClientIdentity::from_pem(certificate, key).expect_err("something is wrong");
        assert_eq!(error, expected);
        assert!(!error.hint().is_empty() && !error.to_string().contains("canary"), "{error}");
        let of_key = error.to_string().starts_with("the client key");
        assert_eq!(error.is_of_key(), of_key, "{error}");
    }
}

#[test]
fn a_certificate_of_the_first_version_is_called_that() {
    let issued = Issued::new();
    let mut der =
        CertificateDer::from_pem_slice(issued.certificate.as_bytes()).expect("a certificate").to_vec();
    let version_3 = [0xa0, 0x03, 0x02, 0x01, 0x02];
    let at = der.windows(5).position(|window| window == version_3).expect("its version");
    der[at + 4] = 0;
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der));
    let error = ClientIdentity::from_pem(&pem, &issued.key).expect_err("it is too old");
    assert_eq!(error.to_string(), "the client certificate is X.509 version 1");
    assert!(error.hint().contains("issue a version 3 certificate"), "{}", error.hint());
}

#[test]
fn a_certificate_is_shown_only_while_it_is_valid() {
    let identity = Issued::made(|params| {
        params.not_before = rcgen::date_time_ymd(2025, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 1, 1);
    });
    let identity = identity.identity().expect("its dates are another question");
    let year = Duration::from_secs(31_536_000);
    let in_2025 = SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000);
    assert_eq!(identity.check_time(in_2025), Ok(()));
    let late = identity.check_time(in_2025 + year).expect_err("it is over");
    assert_eq!(late.to_string(), "the client certificate expired at Jan  1 00:00:00 2026 +00:00");
    let early = identity.check_time(in_2025 - year).expect_err("it is to come");
    assert_eq!(early.to_string(), "the client certificate is not valid before Jan  1 00:00:00 2025 +00:00");
    assert!(late.is_of_time() && early.is_of_time());
}

#[test]
fn the_key_is_never_printed() {
    let issued = Issued::new();
    let identity = issued.identity().expect("an identity");
    let line = issued.key.lines().nth(1).expect("a line of the key");
    assert!(!format!("{identity:?}").contains(line) && !format!("{identity:?}").contains("key:"));
}

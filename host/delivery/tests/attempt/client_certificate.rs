//! SIEMs that demand a client certificate, and what happens when it is replaced.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::pki_types::CertificateDer;
use siemaphore_delivery::{
    AttemptError, AttemptErrorKind, Authentication, ClientCertificate, ClientConfig, Decision, TargetConfig,
};
use siemaphore_secrets::{REFRESH_INTERVAL, SecretReference};

use crate::server::{Certificate, Server, reply};
use crate::warnings::Warnings;
use crate::{Destination, client_config, pass, profile, secret_reference, write_secret};

/// An authority of clients.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().expect("a key");
        Authority(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A certificate and its key.
    fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["siemaphore".to_owned()]).expect("a name");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        (params.signed_by(&key, &self.0).expect("a certificate").pem(), key.serialize_pem())
    }
}

async fn demanding(authority: &Authority) -> Server {
    Server::with_certificate(Certificate::demanding_one_of(&authority.certificate()), |_, _| reply(200, ""))
        .await
}

fn write(server: &Server, name: &str, pem: &str) {
    let path = server.folder().join(name);
    fs::write(&path, pem).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode is set");
}

fn write_pair(server: &Server, (certificate, key): &(String, String)) {
    write(server, "client.pem", certificate);
    write(server, "client.key", key);
}

fn destination(server: &Server, authentication: Authentication) -> Destination {
    let file = |name| SecretReference::File(server.folder().join(name));
    let config = TargetConfig {
        destination: "test".into(),
        endpoint: server.url(""),
        authentication,
        client: client_config(server),
        client_certificate: Some(ClientCertificate {
            certificate: file("client.pem"),
            key: file("client.key"),
        }),
        further_secrets: Vec::new(),
    };
    Destination::of(config, &profile())
}

async fn refused(destination: &Destination) -> AttemptError {
    let error = destination.send().await.expect_err("there is no answer");
    assert!(matches!(error.decision(), Decision::Hold { .. }) && !error.hint.is_empty(), "{error:?}");
    error
}

#[tokio::test]
async fn a_certificate_is_shown_beside_the_credential_of_the_scheme() {
    let authority = Authority::new("clients");
    let server = demanding(&authority).await;
    write_pair(&server, &authority.issue(|_| ()));
    write_secret(&server, "token-1");
    let bearer = Authentication::Bearer { secret: secret_reference(&server) };
    assert_eq!(destination(&server, bearer).send().await.expect("an answer").status, 200);
    assert_eq!(server.received()[0].header("authorization"), Some("Bearer token-1"));
    assert_eq!(destination(&server, Authentication::None).send().await.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_replaced_certificate_is_shown_without_a_restart_as_soon_as_the_former_is_refused() {
    let (former, present) = (Authority::new("former"), Authority::new("present"));
    let demanding = || Certificate::demanding_one_of(&present.certificate());
    for certificate in [demanding(), demanding().over_tls_1_2()] {
        let server = Server::with_certificate(certificate, |_, _| reply(200, "")).await;
        write_pair(&server, &former.issue(|_| ()));
        let destination = destination(&server, Authentication::None);
        let error = refused(&destination).await;
        assert_eq!(error.kind, AttemptErrorKind::Tls);
        assert!(error.reason.contains("does not take the client certificate"), "{error}");

        write_pair(&server, &present.issue(|_| ()));
        pass(REFRESH_INTERVAL).await;
        assert_eq!(destination.send().await.expect("an answer").status, 200);
    }
}

#[tokio::test]
async fn a_refused_certificate_that_was_not_replaced_is_not_shown_twice() {
    let (stranger, known) = (Authority::new("stranger"), Authority::new("known"));
    let server = demanding(&known).await;
    write_pair(&server, &stranger.issue(|_| ()));
    let destination = destination(&server, Authentication::None);
    let first = refused(&destination).await;
    pass(REFRESH_INTERVAL).await;
    assert_eq!(refused(&destination).await, first);
}

/// Two files are not replaced in one moment.
#[tokio::test]
async fn half_a_replacement_keeps_the_former_pair_in_use_until_both_fit() {
    let authority = Authority::new("clients");
    let server = demanding(&authority).await;
    let (former, present) = (authority.issue(|_| ()), authority.issue(|_| ()));
    write_pair(&server, &former);
    let destination = destination(&server, Authentication::None);
    destination.send().await.expect("an answer");
    write(&server, "client.pem", &present.0);
    pass(siemaphore_secrets::CACHE_TIME).await;
    assert_eq!(destination.send().await.expect("the former pair is shown").status, 200);
    write(&server, "client.key", &present.1);
    pass(REFRESH_INTERVAL).await;
    assert_eq!(destination.send().await.expect("an answer").status, 200);
    write(&server, "client.pem", "nothing");
    pass(siemaphore_secrets::CACHE_TIME).await;
    assert_eq!(destination.send().await.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_new_certificate_that_cannot_be_used_is_told_once_while_the_former_is_shown() {
    let warnings = Warnings::default();
    let _listening = tracing::subscriber::set_default(warnings.clone());
    let authority = Authority::new("clients");
    let server = demanding(&authority).await;
    let destination = destination(&server, Authentication::None);
    for round in 1..=2 {
        write_pair(&server, &authority.issue(|_| ()));
        pass(siemaphore_secrets::CACHE_TIME).await;
        destination.send().await.expect("an answer");
        write(&server, "client.pem", "nothing");
        for _ in 0..3 {
            pass(siemaphore_secrets::CACHE_TIME).await;
            assert_eq!(destination.send().await.expect("the former is shown").status, 200);
        }
        let told = warnings.told();
        assert_eq!(told.len(), round, "{told:#?}");
        for words in ["destination=\"test\"", "holds no certificate in PEM form", "hint=", "the former"] {
            assert!(told[round - 1].contains(words), "no {words} in {told:#?}");
        }
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_shown_holds_and_says_why() {
    let authority = Authority::new("clients");
    let server = demanding(&authority).await;
    let (one, other) = (authority.issue(|_| ()), authority.issue(|_| ()));
    let expired = authority.issue(|params| {
        params.not_before = rcgen::date_time_ymd(2024, 1, 1);
        params.not_after = rcgen::date_time_ymd(2025, 1, 1);
    });
    for (pair, reason) in [
        ((one.0.clone(), other.1), "the client key does not belong to the client certificate"),
        (("canary".to_owned(), one.1), "the client certificate holds no certificate in PEM form"),
        ((one.0, "canary".to_owned()), "the client key holds no private key in PEM form"),
        (expired, "the client certificate expired at Jan  1 00:00:00 2025 +00:00"),
    ] {
        write_pair(&server, &pair);
        let error = refused(&destination(&server, Authentication::None)).await;
        assert_eq!((error.kind, error.reason.as_str()), (AttemptErrorKind::Tls, reason));
    }
    fs::remove_file(server.folder().join("client.key")).expect("a file");
    let error = refused(&destination(&server, Authentication::None)).await;
    assert!(error.kind == AttemptErrorKind::Secret && error.reason.contains("client.key"), "{error}");
    assert_eq!(server.received().len(), 0);
}

#[tokio::test]
async fn a_siem_without_a_pinned_key_gets_nothing_and_a_token_endpoint_needs_no_pin() {
    let server = Server::answering(|number, _| match number {
        0 => reply(200, r#"{"access_token":"token-0","expires_in":3599}"#),
        _ => reply(200, ""),
    })
    .await;
    write_secret(&server, "client-secret");
    let pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".parse().expect("a pin");
    let client = ClientConfig { pins: vec![pin], ..client_config(&server) };
    let authentication = Authentication::OAuth2ClientCredentials {
        token_url: server.url("/token"),
        client_id: "app-1".into(),
        secret: secret_reference(&server),
        scope: "s".into(),
    };
    let destination = Destination::with(&server, authentication, profile(), client);
    let error = refused(&destination).await;
    assert!(error.reason.contains("not one of the pinned ones: it is sha256//"), "{error}");
    let paths: Vec<String> = server.received().iter().map(|one| one.uri.to_string()).collect();
    assert_eq!(paths, ["/token"]);
}

/// As nginx writes it, with its own line ends.
fn nginx_page(words: &str) -> String {
    format!(
        "<html>\r\n<head><title>400 {words}</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n\
         <center>{words}</center>\r\n<hr><center>nginx/1.24.0</center>\r\n</body>\r\n</html>\r\n"
    )
}

#[tokio::test]
async fn a_proxy_that_refuses_a_certificate_with_an_answer_holds_and_a_siem_that_quotes_one_does_not() {
    for words in ["No required SSL certificate was sent", "The SSL certificate error"] {
        let server = Server::answering(move |_, _| reply(400, nginx_page(words))).await;
        let authority = Authority::new("clients");
        write_pair(&server, &authority.issue(|_| ()));
        let error = refused(&destination(&server, Authentication::None)).await;
        assert_eq!(error.kind, AttemptErrorKind::Tls);
        assert!(error.reason.contains(words), "{error}");
        assert_eq!(server.received().len(), 1);

        for (status, body) in [
            (400, format!("{{\"text\":\"{}\"}}", nginx_page(words))),
            (400, format!("<html><body>{}{}</body>", "x".repeat(128), nginx_page(words))),
            (403, nginx_page(words)),
        ] {
            let server = Server::answering(move |_, _| reply(status, body.clone())).await;
            let answer = Destination::new(&server, Authentication::None).send().await;
            assert_eq!(answer.expect("the SIEM's own answer").status, status);
        }
    }
}

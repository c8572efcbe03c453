//! Attempts without an answer, and what they mean for the batch.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, IsCa};
use siemaphore_delivery::{
    AttemptError, AttemptErrorKind, Authentication, ClientConfig, Decision, EgressPolicy, Target,
    TargetConfig,
};
use siemaphore_secrets::Secrets;
use url::Url;

use crate::server::{Certificate, Server, reply};
use crate::{Destination, client_config, group, profile};

async fn failure(server: &Server, client: ClientConfig) -> AttemptError {
    let destination = Destination::with(server, Authentication::None, profile(), client);
    destination.send().await.expect_err("there is no answer")
}

fn assert_held(error: &AttemptError) {
    assert!(matches!(error.decision(), Decision::Hold { .. }), "{error:?} is held");
    assert!(!error.reason.is_empty() && !error.hint.is_empty(), "{error:?}");
}

fn assert_retried(error: &AttemptError) {
    assert!(matches!(error.decision(), Decision::Retry { after: None, .. }), "{error:?} is tried again");
    assert!(!error.reason.is_empty() && !error.hint.is_empty(), "{error:?}");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_holds_the_destination() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    let other = Server::answering(|_, _| reply(200, "")).await;
    let error = failure(&server, client_config(&other)).await;
    assert_eq!(error.kind, AttemptErrorKind::Tls);
    assert!(error.hint.contains("CA file"), "{}", error.hint);
    assert_held(&error);
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_holds_the_destination() {
    let authority = Certificate::self_signed(IsCa::Ca(BasicConstraints::Unconstrained));
    let not_for_servers = Certificate::for_clients_only();
    for certificate in [Certificate::expired(), Certificate::for_another_name(), not_for_servers, authority] {
        let server = Server::with_certificate(certificate, |_, _| reply(200, "")).await;
        let error = failure(&server, client_config(&server)).await;
        assert_eq!(error.kind, AttemptErrorKind::Tls);
        assert_held(&error);
        assert!(server.received().is_empty());
    }
}

#[tokio::test]
async fn an_address_that_is_refused_holds_the_destination() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    let endpoint = Url::parse(&format!("https://localhost:{}", server.port())).expect("a URL");
    let client = ClientConfig { egress: Arc::new(EgressPolicy::default()), ..client_config(&server) };
    let config = TargetConfig {
        destination: "test".into(),
        endpoint,
        authentication: Authentication::None,
        client,
        client_certificate: None,
        further_secrets: Vec::new(),
    };
    let target = Target::new(config, Arc::new(Secrets::new())).expect("a name is checked when it is dialled");
    let Destination { granted, .. } = Destination::new(&server, Authentication::None);
    let error = target.probe(&granted, &group()).await.expect_err("loopback is not open");
    assert_eq!(error.kind, AttemptErrorKind::Refused);
    assert!(error.hint.contains("[egress]"), "{}", error.hint);
    assert_held(&error);
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_siem_that_does_not_answer_in_time_is_tried_again() {
    let server = Server::silent().await;
    let client = ClientConfig { request_timeout: Duration::from_millis(200), ..client_config(&server) };
    let error = failure(&server, client).await;
    assert_eq!(error.kind, AttemptErrorKind::Timeout);
    assert_retried(&error);
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    for written in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"] {
        let server = Server::writing(written).await;
        let error = failure(&server, client_config(&server)).await;
        assert_eq!(error.kind, AttemptErrorKind::Reset);
        assert_retried(&error);
    }
}

#[tokio::test]
async fn a_siem_without_tls_holds_the_destination() {
    let server = Server::plain().await;
    let error = failure(&server, client_config(&server)).await;
    assert_eq!(error.kind, AttemptErrorKind::Tls);
    assert!(error.hint.contains("plain HTTP"), "{}", error.hint);
    assert_held(&error);
}

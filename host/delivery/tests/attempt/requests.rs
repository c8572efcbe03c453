//! What arrives at a SIEM.

use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;
use http::Method;
use siemaphore_delivery::{
    AttemptErrorKind, Authentication, Cookies, Decision, GrantedProfile, Target, TargetConfig, TargetError,
};
use siemaphore_model::formatter::Pending;
use siemaphore_secrets::Secrets;
use url::Url;

use crate::server::{Server, reply};
use crate::{Destination, client_config, group, profile};

#[tokio::test]
async fn a_batch_arrives_as_it_was_granted_and_framed() {
    let server = Server::answering(|_, _| reply(200, "{}")).await;
    let mut profile = profile();
    profile.path = "/in/{organization}".into();
    profile.query = vec![("v".into(), "a b".into())];
    profile.headers = vec![("X-Project".into(), "{project}".into())];
    let destination = Destination::with(&server, Authentication::None, profile, client_config(&server));
    destination.send().await.expect("an answer");
    let request = &server.received()[0];
    assert_eq!((&request.method, request.uri.to_string().as_str()), (&Method::POST, "/in/acme?v=a+b"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("x-project"), Some("chat"));
    assert_eq!(request.header("content-encoding"), None);
    assert_eq!(request.body, r#"[{"a":1}]"#);
}

#[tokio::test]
async fn a_large_batch_arrives_compressed() {
    let server = Server::answering(|_, _| reply(200, "{}")).await;
    let destination = Destination::new(&server, Authentication::None);
    let body = destination.body(&[br#"{"event":"dlp.pii_blocked"}"#.as_slice(); 100]);
    destination.target.attempt(&destination.granted, &group(), &body, None).await.expect("an answer");
    let request = &server.received()[0];
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    let mut plain = Vec::new();
    GzDecoder::new(request.body.as_ref()).read_to_end(&mut plain).expect("it is gzip");
    assert_eq!(plain.len(), body.uncompressed_bytes);
}

#[tokio::test]
async fn a_probe_is_the_request_that_the_profile_describes() {
    let server = Server::answering(|_, _| reply(200, "healthy")).await;
    let destination = Destination::new(&server, Authentication::None);
    let answer = destination.target.probe(&destination.granted, &group()).await.expect("an answer");
    assert_eq!(answer.body, "healthy");
    let request = &server.received()[0];
    assert_eq!((&request.method, request.uri.path()), (&Method::GET, "/health"));
}

#[tokio::test]
async fn a_follow_up_goes_to_its_path_with_the_cookies_of_the_answer() {
    let server = Server::answering(|_, _| {
        let mut answer = reply(200, r#"{"ackId":7}"#);
        answer.headers_mut().insert("set-cookie", "node=3; Path=/; Secure".parse().expect("a value"));
        answer
    })
    .await;
    let destination = Destination::new(&server, Authentication::None);
    let mut cookies = Cookies::default();
    cookies.keep(&destination.send().await.expect("an answer"));
    let mut pending = Pending {
        after_ms: 0,
        query: vec![("channel".into(), "c1".into())],
        body: br#"{"acks":[7]}"#.to_vec(),
        state: Vec::new(),
    };
    let Destination { target, granted } = &destination;
    target.follow_up(granted, &group(), &pending, &cookies).await.expect("an answer");
    pending.body.clear();
    target.follow_up(granted, &group(), &pending, &cookies).await.expect("an answer");
    let received = server.received();
    assert_eq!(received[0].header("cookie"), None);
    assert_eq!(
        (&received[1].method, received[1].uri.to_string().as_str()),
        (&Method::POST, "/ack?channel=c1")
    );
    assert_eq!(
        (received[1].header("cookie"), received[1].body.as_ref()),
        (Some("node=3"), &br#"{"acks":[7]}"#[..])
    );
    assert_eq!(received[2].method, Method::GET);
}

#[tokio::test]
async fn a_follow_up_that_the_profile_does_not_have_is_an_error() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    let mut profile = profile();
    profile.follow_up_path = None;
    let destination = Destination::with(&server, Authentication::None, profile, client_config(&server));
    let pending = Pending { after_ms: 0, query: vec![], body: vec![], state: vec![] };
    let Destination { target, granted } = &destination;
    let error =
        target.follow_up(granted, &group(), &pending, &Cookies::default()).await.expect_err("no path");
    assert_eq!(error.kind, AttemptErrorKind::Request);
    assert!(matches!(error.decision(), Decision::Hold { .. }));
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    for endpoint in [
        "http://siem.example.com/",
        "https://user:password@siem.example.com/",
        "https://169.254.169.254/",
        "https://10.0.0.1/",
        "https://siem.example.com/?token=1",
        "https://siem.example.com/#x",
        "ftp://siem.example.com/",
    ] {
        let config = TargetConfig {
            destination: "test".into(),
            endpoint: Url::parse(endpoint).expect(endpoint),
            authentication: Authentication::None,
            client: client_config(&server),
            client_certificate: None,
            further_secrets: Vec::new(),
        };
        let error = Target::new(config, Arc::new(Secrets::new())).err().expect(endpoint);
        assert!(matches!(error, TargetError::Endpoint(_)), "{endpoint}: {error}");
        assert!(!error.hint().is_empty() && !error.to_string().contains("password@"), "{error}");
    }
}

#[tokio::test]
async fn what_the_summary_shows_is_what_is_requested() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    let destination = Destination::new(&server, Authentication::None);
    destination.send().await.expect("an answer");
    let request = &server.received()[0];
    let shown = format!("{} {}", request.method, server.url(&request.uri.to_string()));
    assert_eq!(GrantedProfile::summary(&destination.granted), shown);
}

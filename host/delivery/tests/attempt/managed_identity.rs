//! Azure's managed identity, with an agent in place of the metadata service, which no test may dial.

use siemaphore_delivery::{AttemptErrorKind, Authentication};

use crate::server::{Server, reply};
use crate::{Destination, client_config, profile};

fn authentication(server: &Server, token_url: &str, client_id: Option<&str>) -> Authentication {
    Authentication::AzureManagedIdentity {
        resource: "https://monitor.azure.com".into(),
        client_id: client_id.map(str::to_owned),
        token_url: Some(server.url(token_url)),
    }
}

#[tokio::test]
async fn a_token_of_the_machine_is_asked_for_as_azure_says_kept_and_replaced_once() {
    let server = Server::answering(|number, request| match request.uri.path() {
        "/token" => reply(
            200,
            format!(
                r#"{{"access_token":"canary-token-{number}","expires_in":"86400","token_type":"Bearer"}}"#
            ),
        ),
        _ if request.header("authorization").expect("a token").ends_with("-0") => reply(401, ""),
        _ => reply(403, format!("you sent {}", request.header("authorization").expect("a token"))),
    })
    .await;
    let destination = Destination::new(&server, authentication(&server, "/token", Some("app & 1")));
    for _ in 0..2 {
        let answer = destination.send().await.expect("an answer");
        assert_eq!((answer.status, &answer.body[..]), (403, &b"you sent Bearer [secret]"[..]));
    }
    let received = server.received();
    let paths: Vec<_> = received.iter().map(|request| request.uri.path()).collect();
    assert_eq!(paths, ["/token", "/in", "/token", "/in", "/in"]);
    assert_eq!((received[0].method.as_str(), received[0].header("metadata")), ("GET", Some("true")));
    assert_eq!(
        received[0].uri.query(),
        Some("api-version=2018-02-01&resource=https%3A%2F%2Fmonitor.azure.com&client_id=app+%26+1")
    );
}

#[tokio::test]
async fn a_machine_without_an_identity_is_told_what_to_do() {
    let refusal = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    let server = Server::answering(move |_, _| reply(400, refusal)).await;
    let destination = Destination::new(&server, authentication(&server, "/token", None));
    let error = destination.send().await.expect_err("no token");
    assert_eq!(error.kind, AttemptErrorKind::Token);
    assert!(error.hint.contains("managed identity"), "{}", error.hint);
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn no_token_url_leads_to_the_metadata_service() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    for url in ["http://169.254.169.254/metadata/identity/oauth2/token", "https://169.254.169.254/token"] {
        let authentication = Authentication::AzureManagedIdentity {
            resource: "r".into(),
            client_id: None,
            token_url: Some(url.parse().expect("a URL")),
        };
        let client = siemaphore_delivery::ClientConfig { allow_plaintext: true, ..client_config(&server) };
        let config = siemaphore_delivery::TargetConfig {
            destination: "test".into(),
            endpoint: server.url(""),
            authentication,
            client,
            client_certificate: None,
            further_secrets: Vec::new(),
        };
        let secrets = std::sync::Arc::new(siemaphore_secrets::Secrets::new());
        assert!(siemaphore_delivery::Target::new(config, secrets).is_err(), "{url} for {}", profile().path);
    }
}

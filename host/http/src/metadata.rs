//! Azure's instance metadata service: the one exception to the rule that metadata services are never dialled.
//!
//! It hands out the machine's own access tokens, so whoever can make the host ask it, and see the answer, is the
//! machine. The exception is therefore a client of its own with one request in it: nothing that anybody configures
//! says where it goes, and the ordinary [`Client`](crate::Client) still refuses the address.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use crate::SendError;
use crate::answer::{self, Answer};
use crate::client::{ClientConfig, ClientError, USER_AGENT};
use crate::tls;

const TOKEN_URL: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const API_VERSION: &str = "2018-02-01";
/// Proves that the request was meant: it cannot be had by making somebody follow a URL.
const METADATA: HeaderName = HeaderName::from_static("metadata");
/// The service is on the same machine.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Asks Azure's metadata service for tokens, and for nothing else.
#[derive(Clone)]
pub struct MetadataClient {
    inner: reqwest::Client,
}

impl MetadataClient {
    /// Of `config` only the trusted certificates are used, which the HTTP library wants to know in any case.
    pub fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        let verifier = tls::verifier(config.ca_file.as_deref(), &[])?;
        let inner = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&verifier, None)?)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(|error| ClientError::Settings(error.without_url().to_string()))?;
        Ok(MetadataClient { inner })
    }

    /// A token of the machine's identity, or of the one with this client id.
    pub async fn identity_token(&self, resource: &str, client_id: Option<&str>) -> Result<Answer, SendError> {
        let request = request(resource, client_id);
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let response =
            self.inner.execute(request).await.map_err(|error| SendError::from_request(&error, &host))?;
        answer::read(response, MAX_ANSWER_BYTES, &host).await
    }
}

/// What the service wants to know, also of an agent that speaks the same elsewhere.
pub fn identity_token_query(resource: &str, client_id: Option<&str>) -> Vec<(&'static str, String)> {
    let mut query = vec![("api-version", API_VERSION.to_owned()), ("resource", resource.to_owned())];
    query.extend(client_id.map(|client_id| ("client_id", client_id.to_owned())));
    query
}

fn request(resource: &str, client_id: Option<&str>) -> reqwest::Request {
    #[allow(clippy::expect_used, reason = "it is a constant")]
    let mut url = Url::parse(TOKEN_URL).expect("a URL");
    url.query_pairs_mut().extend_pairs(identity_token_query(resource, client_id));
    let mut request = reqwest::Request::new(http::Method::GET, url);
    request.headers_mut().insert(METADATA, HeaderValue::from_static("true"));
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, EgressPolicy, Request};

    #[test]
    fn no_setting_changes_where_the_request_goes() {
        for (resource, client_id) in [
            ("https://monitor.azure.com", None),
            ("@evil.example.com/", Some("../../instance")),
            ("x#fragment", Some("a&api-version=1")),
            ("/../instance?x", Some("\r\nHost: evil.example.com")),
        ] {
            let request = request(resource, client_id);
            let url = request.url();
            assert_eq!(
                (url.scheme(), url.host_str(), url.port(), url.path()),
                ("http", Some("169.254.169.254"), None, "/metadata/identity/oauth2/token")
            );
            assert_eq!((url.username(), url.fragment()), ("", None));
            let pairs: Vec<_> = url.query_pairs().into_owned().collect();
            let value =
                |name: &str| pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
            assert_eq!(value("api-version").as_deref(), Some("2018-02-01"));
            assert_eq!(value("resource").as_deref(), Some(resource));
            assert_eq!(value("client_id").as_deref(), client_id);
            assert_eq!(request.headers()["metadata"], "true");
            assert_eq!(*request.method(), http::Method::GET);
        }
    }

    #[tokio::test]
    async fn the_ordinary_client_still_refuses_the_metadata_service() {
        let everything = ["0.0.0.0/0", "::/0"].map(|net| net.parse().expect("a network"));
        let config = ClientConfig {
            egress: std::sync::Arc::new(EgressPolicy { allow: everything.to_vec() }),
            allow_plaintext: true,
            ..ClientConfig::default()
        };
        let client = Client::new(&config).expect("a client");
        for url in [TOKEN_URL, "https://169.254.169.254/metadata/identity/oauth2/token"] {
            let url: Url = url.parse().expect("a URL");
            let request = Request {
                method: http::Method::GET,
                url,
                headers: http::HeaderMap::new(),
                body: bytes::Bytes::new(),
            };
            assert!(matches!(client.send(request).await, Err(SendError::Url(_) | SendError::Refused { .. })));
        }
    }
}

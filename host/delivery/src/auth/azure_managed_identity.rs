//! A token for the identity that Azure gave to the machine. There is no secret: being the machine is the proof.

use http::{HeaderMap, HeaderValue, Method};
use siemaphore_http::{Request, identity_token_query};
use url::Url;

use super::token::TokenRequest;

/// Without `token_url` the metadata service itself is asked. With one it is an agent that speaks the same, which is
/// dialled like any other address.
pub(super) fn token_request(
    resource: &str,
    client_id: Option<&str>,
    token_url: Option<&Url>,
) -> TokenRequest {
    let Some(token_url) = token_url else {
        return TokenRequest::of_metadata(resource, client_id);
    };
    let mut url = token_url.clone();
    url.query_pairs_mut().extend_pairs(identity_token_query(resource, client_id));
    let mut headers = HeaderMap::new();
    headers.insert("metadata", HeaderValue::from_static("true"));
    let request = Request { method: Method::GET, url, headers, body: bytes::Bytes::new() };
    TokenRequest::new(request, Vec::new())
}

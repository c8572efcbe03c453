//! OAuth2 client credentials (RFC 6749 section 4.4), as Microsoft Entra ID and others have them.

use siemaphore_secrets::Secret;
use url::Url;

use super::token::TokenRequest;

pub(super) fn token_request(token_url: &Url, client_id: &str, scope: &str, secret: &Secret) -> TokenRequest {
    let pairs = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret.expose()),
        ("scope", scope),
    ];
    TokenRequest::of_form(token_url, &pairs, vec![secret.clone()])
}

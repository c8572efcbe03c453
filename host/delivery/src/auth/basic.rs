//! `Authorization: Basic …`: user name and password, joined by a colon, in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use siemaphore_secrets::Secret;
use zeroize::Zeroizing;

use super::Credential;
use crate::attempt_error::AttemptError;

pub(super) fn credential(username: &str, secret: Secret) -> Result<Credential, AttemptError> {
    let pair = Zeroizing::new(format!("{username}:{}", secret.expose()));
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    let value = Zeroizing::new(format!("Basic {}", encoded.as_str()));
    // The pair as a whole, because the base64 of the password alone is no part of the base64 of the pair.
    let secrets = vec![Secret::new(&encoded), Secret::new(&pair), secret];
    Credential::new(AUTHORIZATION, &value, secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pair_is_encoded_as_rfc_7617_shows_it() {
        let credential = credential("Aladdin", Secret::new("open sesame")).expect("a usable secret");
        assert_eq!(credential.value.as_bytes(), b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}

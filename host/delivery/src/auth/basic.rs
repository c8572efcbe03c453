//! `Authorization: Basic …`: user name and password, joined by a colon, in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use siemaphore_http::Request;
use siemaphore_secrets::Secret;
use zeroize::Zeroizing;

use super::set_header;
use crate::attempt_error::AttemptError;

pub(super) fn apply(
    username: &str,
    secret: &Secret,
    request: &mut Request,
) -> Result<Vec<Secret>, AttemptError> {
    let pair = Zeroizing::new(format!("{username}:{}", secret.expose()));
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    set_header(request, &AUTHORIZATION, &Zeroizing::new(format!("Basic {}", encoded.as_str())))?;
    // The pair as a whole, because the base64 of the password alone is no part of the base64 of the pair.
    Ok(vec![Secret::new(&encoded), Secret::new(&pair)])
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{header, request};
    use super::*;

    #[test]
    fn the_pair_is_encoded_as_rfc_7617_shows_it() {
        let mut request = request("https://s", "");
        apply("Aladdin", &Secret::new("open sesame"), &mut request).expect("a usable secret");
        assert_eq!(header(&request, "authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}

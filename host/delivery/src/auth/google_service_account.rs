//! An access token for a Google service account: a claim, signed with the key of the account's key file, is exchanged
//! for a token (RFC 7523).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use siemaphore_secrets::Secret;
use url::Url;
use zeroize::Zeroizing;

use super::token::TokenRequest;
use crate::attempt_error::AttemptError;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest that Google takes.
const LIFETIME_SECONDS: u64 = 60 * 60;

/// The key file, as far as it matters.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: String,
    token_uri: String,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

/// `token_url` takes the place of the one in the key file.
pub(super) fn token_request(
    token_url: Option<&Url>,
    scope: &str,
    secret: &Secret,
    now: SystemTime,
) -> Result<TokenRequest, AttemptError> {
    let file: KeyFile = serde_json::from_str(secret.expose()).map_err(|_| not_a_key_file())?;
    let key = Zeroizing::new(file.private_key);
    let token_url = match token_url {
        Some(token_url) => token_url.clone(),
        None => Url::parse(&file.token_uri).map_err(|_| not_a_key_file())?,
    };
    let iat = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims =
        Claims { iss: &file.client_email, scope, aud: token_url.as_str(), iat, exp: iat + LIFETIME_SECONDS };
    let header = Header { alg: "RS256", typ: "JWT", kid: &file.private_key_id };
    let assertion = signed(&header, &claims, &key)?;
    let pairs = [("grant_type", GRANT_TYPE), ("assertion", assertion.as_str())];
    let secrets = vec![Secret::new(&assertion), Secret::new(&key), secret.clone()];
    Ok(TokenRequest::of_form(&token_url, &pairs, secrets))
}

/// Whether tokens can be asked for with it: only what has been signed shows that its key is one.
pub(super) fn check(token_url: Option<&Url>, scope: &str, secret: &Secret) -> Result<(), AttemptError> {
    token_request(token_url, scope, secret, SystemTime::now()).map(drop)
}

fn signed(header: &Header<'_>, claims: &Claims<'_>, key: &str) -> Result<Zeroizing<String>, AttemptError> {
    let key = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).map_err(|_| not_a_key_file())?;
    let key = KeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| not_a_key_file())?;
    let text = Zeroizing::new(format!("{}.{}", part(header)?, part(claims)?));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| not_a_key_file())?;
    Ok(Zeroizing::new(format!("{}.{}", text.as_str(), URL_SAFE_NO_PAD.encode(signature))))
}

fn part(part: &impl Serialize) -> Result<String, AttemptError> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).map_err(|_| not_a_key_file())?))
}

fn not_a_key_file() -> AttemptError {
    AttemptError::secret(
        "the secret is not the key file of a Google service account",
        "store the whole JSON file that Google Cloud gave for the account's key: client_email, private_key, token_uri",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_no_key_file_is_refused_and_not_shown() {
        for secret in [
            "canary",
            "{}",
            r#"{"client_email":"a@b","private_key":"canary","token_uri":"https://t"}"#,
            r#"{"client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n","token_uri":"https://t"}"#,
            r#"{"client_email":"a@b","private_key":"x","token_uri":"canary"}"#,
        ] {
            let error = token_request(None, "s", &Secret::new(secret), UNIX_EPOCH).err().expect(secret);
            assert!(error.needs_operator && !format!("{error:?}").contains("canary"), "{error:?}");
            assert_eq!(check(None, "s", &Secret::new(secret)).expect_err(secret), error);
        }
    }
}

//! `Authorization: SharedKey …` of Azure Monitor's HTTP Data Collector API.
//!
//! What is signed is the length of the body in bytes, its type and the time, not its content. So a request is signed
//! anew for each attempt, when the body is final.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use ring::hmac;
use siemaphore_http::Request;
use siemaphore_secrets::Secret;
use zeroize::Zeroizing;

use super::{Message, set_header};
use crate::attempt_error::AttemptError;

const DATE: HeaderName = HeaderName::from_static("x-ms-date");
pub(super) const HEADERS: [HeaderName; 2] = [AUTHORIZATION, DATE];

pub(super) fn apply(
    workspace_id: &str,
    secret: &Secret,
    message: &Message<'_>,
    request: &mut Request,
) -> Result<Vec<Secret>, AttemptError> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key(secret)?);
    let date = httpdate::fmt_http_date(message.now);
    let text = string_to_sign(request, &date);
    let signature = Zeroizing::new(STANDARD.encode(hmac::sign(&key, text.as_bytes())));
    request.headers.insert(DATE, date.parse().map_err(|_| unusable())?);
    let value = Zeroizing::new(format!("SharedKey {workspace_id}:{}", signature.as_str()));
    set_header(request, &AUTHORIZATION, &value)?;
    Ok(vec![Secret::new(&signature)])
}

/// Whether requests can be signed with it.
pub(super) fn check(secret: &Secret) -> Result<(), AttemptError> {
    key(secret).map(drop)
}

fn key(secret: &Secret) -> Result<Zeroizing<Vec<u8>>, AttemptError> {
    let key = Zeroizing::new(STANDARD.decode(secret.expose()).map_err(|_| unusable())?);
    if key.is_empty() { Err(unusable()) } else { Ok(key) }
}

fn string_to_sign(request: &Request, date: &str) -> String {
    let content_type =
        request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    format!(
        "{}\n{}\n{content_type}\nx-ms-date:{date}\n{}",
        request.method,
        request.body.len(),
        request.url.path()
    )
}

fn unusable() -> AttemptError {
    AttemptError::secret(
        "the secret is not a workspace key: it is not base64",
        "copy the primary or secondary key of the workspace as a whole, with the equals signs at its end",
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use http::HeaderValue;

    use super::super::tests_support::{header, request};
    use super::*;

    fn applied(secret: &str) -> Result<Request, AttemptError> {
        let url = "https://w.ods.opinsights.azure.com/api/logs?api-version=2016-04-01";
        let mut request = request(url, r#"[{"EventType":"dlp.pii_blocked","User":"José"}]"#);
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let now = UNIX_EPOCH + Duration::from_secs(1_459_756_800);
        apply("workspace-1", &Secret::new(secret), &Message { id: None, now }, &mut request)?;
        Ok(request)
    }

    /// The signature was computed apart from this code, with Python's `hmac`, `hashlib` and `base64` alone. The body has 48
    /// bytes in 47 characters.
    #[test]
    fn the_length_that_is_signed_is_that_of_the_bytes() {
        let key: Vec<u8> = (0..64).collect();
        let request = applied(&STANDARD.encode(key)).expect("signed");
        assert_eq!(header(&request, "x-ms-date"), "Mon, 04 Apr 2016 08:00:00 GMT");
        assert_eq!(
            header(&request, "authorization"),
            "SharedKey workspace-1:TjBlfflLRfSTlIKGP4BIQc0A1dmGOEVcZj4Cd37H1zE="
        );
    }

    #[test]
    fn a_key_that_is_not_base64_is_refused_and_not_shown() {
        for secret in ["canary!", "canary canary", "", "c"] {
            let error = applied(secret).expect_err(secret);
            assert_eq!(check(&Secret::new(secret)).expect_err(secret), error);
            assert!(error.needs_operator && !format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}

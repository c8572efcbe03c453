//! Standard Webhooks: message id, time of the attempt, and an HMAC-SHA256 over both and the body.
//!
//! Each active secret signs, so that the receiver may change from one to the next when it likes.

use std::time::UNIX_EPOCH;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use ring::hmac;
use siemaphore_http::Request;
use siemaphore_secrets::Secret;
use zeroize::Zeroizing;

use super::{Message, set_header};
use crate::attempt_error::AttemptError;
use crate::message_id::MessageId;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
pub(super) const HEADERS: [HeaderName; 3] = [ID, TIMESTAMP, SIGNATURE];

const PREFIX: &str = "whsec_";
/// What the specification asks of a key.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

pub(super) fn apply<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
    message: &Message<'_>,
    request: &mut Request,
) -> Result<Vec<Secret>, AttemptError> {
    let id = message.id.cloned().unwrap_or_else(|| MessageId::of_body(&request.body));
    let timestamp = message.now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
    let mut signatures: Vec<Zeroizing<String>> = Vec::new();
    let mut used = Vec::new();
    for secret in secrets {
        let key = key(secret)?;
        signatures.push(Zeroizing::new(signature(&key, &id, &timestamp, &request.body)));
        used.push(Secret::new(bare(secret)?));
    }
    let versioned: Vec<String> =
        signatures.iter().map(|signature| format!("v1,{}", signature.as_str())).collect();
    request.headers.insert(ID, id.header_value());
    request.headers.insert(TIMESTAMP, timestamp.parse().map_err(|_| AttemptError::unusable_secret())?);
    set_header(request, &SIGNATURE, &versioned.join(" "))?;
    used.extend(signatures.iter().map(|signature| Secret::new(signature)));
    Ok(used)
}

/// Whether requests can be signed with it.
pub(super) fn check(secret: &Secret) -> Result<(), AttemptError> {
    key(secret).map(drop)
}

fn bare(secret: &Secret) -> Result<&str, AttemptError> {
    secret.expose().strip_prefix(PREFIX).ok_or_else(unusable)
}

fn key(secret: &Secret) -> Result<Zeroizing<Vec<u8>>, AttemptError> {
    let key = Zeroizing::new(STANDARD.decode(bare(secret)?).map_err(|_| unusable())?);
    if KEY_BYTES.contains(&key.len()) { Ok(key) } else { Err(unusable()) }
}

fn signature(key: &[u8], id: &MessageId, timestamp: &str, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    context.update(format!("{}.{timestamp}.", id.as_str()).as_bytes());
    context.update(body);
    STANDARD.encode(context.sign())
}

fn unusable() -> AttemptError {
    AttemptError::secret(
        "the secret is not one of Standard Webhooks",
        "store the signing secret as the receiver shows it: whsec_ and 24 to 64 bytes in base64",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests_support::{header, request};
    use super::*;

    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn applied(secrets: &[Secret]) -> Result<Request, AttemptError> {
        let mut request = request("https://s", r#"{"test": 2432232314}"#);
        let id = MessageId::from_text("msg_p5jXN8AQM9LWM0D4loKWxJek");
        let now = UNIX_EPOCH + Duration::from_secs(1_614_265_330);
        apply(secrets, &Message { id: Some(&id), now }, &mut request)?;
        Ok(request)
    }

    #[test]
    fn the_vector_of_the_reference_libraries_is_signed_as_they_do() {
        let request = applied(&[Secret::new(KEY)]).expect("signed");
        assert_eq!(header(&request, "webhook-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(header(&request, "webhook-timestamp"), "1614265330");
        assert_eq!(header(&request, "webhook-signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_request_without_events_is_named_after_its_body() {
        let mut request = request("https://s", "");
        let message = Message { id: None, now: UNIX_EPOCH };
        apply([&Secret::new(KEY)], &message, &mut request).expect("signed");
        assert_eq!(header(&request, "webhook-id").len(), 64);
        assert_eq!(header(&request, "webhook-timestamp"), "0");
    }

    #[test]
    fn each_active_secret_signs() {
        let other = format!("whsec_{}", STANDARD.encode([7; 32]));
        let request = applied(&[Secret::new(KEY), Secret::new(&other)]).expect("signed");
        let signatures: Vec<&str> = header(&request, "webhook-signature").split(' ').collect();
        assert_eq!(signatures.len(), 2);
        assert_eq!(signatures[0], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(signatures[1].starts_with("v1,") && signatures[1] != signatures[0]);
    }

    #[test]
    fn a_secret_of_another_kind_is_refused_and_not_shown() {
        for secret in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_canary!", "whsec_c2hvcnQ=", "whsk_AAAA", ""]
        {
            let error = applied(&[Secret::new(secret)]).expect_err(secret);
            assert_eq!(check(&Secret::new(secret)).expect_err(secret), error);
            assert!(error.needs_operator && !format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}

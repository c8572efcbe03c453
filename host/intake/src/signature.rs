//! Signed webhooks: the producer proves who it is by signing the body instead of sending a token.
//!
//! What is signed is the body as it is sent, so a compressed body is checked before it is decompressed. A source may
//! have several secrets while they are being rotated. All of them are tried, and compared in constant time.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use ring::hmac::{self, HMAC_SHA256, Key};

/// How far the clock of a sender may be from ours, either way; older requests may be repetitions by somebody else.
const TOLERANCE: Duration = Duration::from_secs(300);

/// The shortest secret of Standard Webhooks.
const SHORTEST_SECRET_BYTES: usize = 24;

/// The most signatures of one request that are looked at.
const SIGNATURES: usize = 16;

/// The id is the request's idempotency key.
const LONGEST_ID_BYTES: usize = 255;

const WEBHOOK_ID: &str = "webhook-id";
const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
const WEBHOOK_SIGNATURE: &str = "webhook-signature";

/// How a source signs, with its secrets.
#[derive(Debug, Clone)]
pub struct Signature {
    scheme: Scheme,
    keys: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scheme {
    StandardWebhooks,
    Hmac { header: HeaderName, prefix: String },
}

/// Why a secret cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret of Standard Webhooks is base64 of at least 24 bytes, mostly after `whsec_`")]
pub struct SecretError;

/// Why a signed request is not taken. Each can be told from the head of the request, its path and the settings of the
/// source, but for the last; and that one does not say how near a signature came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureFault {
    #[error("no source of this name takes signed requests")]
    NoSource,
    #[error("webhook-id, webhook-timestamp or webhook-signature is missing")]
    NoWebhookHeader,
    #[error("webhook-id has other than 1 to 255 visible ASCII characters")]
    Id,
    #[error("webhook-timestamp is not a number of seconds")]
    Timestamp,
    #[error("webhook-timestamp is more than five minutes from now: the request is old, or a clock is wrong")]
    Stale,
    #[error("webhook-signature has no signature of the form v1,BASE64")]
    NoSignature,
    #[error("the header with the signature is missing")]
    NoHeader,
    #[error("the signature is not the prefix and hexadecimal digits")]
    NoDigits,
    #[error("the signature is not that of this body with a secret of the source")]
    Mismatch,
}

impl SignatureFault {
    /// What whoever sends the request, or runs this host, can do.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            SignatureFault::NoSource => {
                "correct the path: /v1/webhooks/SOURCE, with the name of a source that has a `signature`; a source with a token is reached at /v1/events"
            }
            SignatureFault::NoWebhookHeader => {
                "let the producer sign as Standard Webhooks says, or give the source the scheme that it signs with; docs/sources/webhooks.md"
            }
            SignatureFault::Id => "send a webhook-id of visible ASCII characters, the same for every attempt",
            SignatureFault::Timestamp => "send the seconds since 1970 as webhook-timestamp",
            SignatureFault::Stale => {
                "set the clocks of the producer and of this host, and let the producer sign each attempt anew"
            }
            SignatureFault::NoSignature => "sign with the version v1 of Standard Webhooks: HMAC-SHA256",
            SignatureFault::NoHeader => {
                "set `header` of the source's signature to the header that the producer sends"
            }
            SignatureFault::NoDigits => {
                "set `prefix` of the source's signature to what stands before the digits, \"\" for nothing"
            }
            SignatureFault::Mismatch => {
                "sign the body as it is sent, with a secret of the source that the path names; docs/sources/webhooks.md"
            }
        }
    }
}

/// What a request says about its signature, before its body is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// What precedes the body in what is signed.
    signed_before: String,
    signatures: Vec<Vec<u8>>,
    /// The same for every attempt at one request.
    pub(crate) id: Option<String>,
}

impl Signature {
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature`.
    pub fn standard_webhooks(secrets: &[&str]) -> Result<Signature, SecretError> {
        let key = |secret: &&str| {
            let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
            let bytes = STANDARD.decode(encoded).ok().filter(|bytes| bytes.len() >= SHORTEST_SECRET_BYTES);
            bytes.map(|bytes| Key::new(HMAC_SHA256, &bytes)).ok_or(SecretError)
        };
        let keys = secrets.iter().map(key).collect::<Result<_, _>>()?;
        Ok(Signature { scheme: Scheme::StandardWebhooks, keys })
    }

    /// HMAC-SHA256 of the body in hexadecimal, in this header after this prefix, as GitHub does it.
    pub fn hmac(header: HeaderName, prefix: &str, secrets: &[&str]) -> Signature {
        let keys = secrets.iter().map(|secret| Key::new(HMAC_SHA256, secret.as_bytes())).collect();
        Signature { scheme: Scheme::Hmac { header, prefix: prefix.to_owned() }, keys }
    }

    /// Checks all that can be checked without the body. `now` is in seconds since 1970.
    pub(crate) fn claim(&self, headers: &HeaderMap, now: u64) -> Result<Claim, SignatureFault> {
        match &self.scheme {
            Scheme::StandardWebhooks => claim_of_standard_webhooks(headers, now),
            Scheme::Hmac { header, prefix } => {
                let value = text(headers, header.as_str()).ok_or(SignatureFault::NoHeader)?;
                let digits = value.strip_prefix(prefix.as_str()).and_then(from_hex);
                let signature = digits.ok_or(SignatureFault::NoDigits)?;
                Ok(Claim { signed_before: String::new(), signatures: vec![signature], id: None })
            }
        }
    }

    /// Whether one of the signatures was made with one of the secrets.
    pub(crate) fn verify(&self, claim: &Claim, body: &[u8]) -> bool {
        let signed = [claim.signed_before.as_bytes(), body].concat();
        let mut valid = false;
        for key in &self.keys {
            for signature in &claim.signatures {
                valid |= hmac::verify(key, &signed, signature).is_ok();
            }
        }
        valid
    }
}

fn claim_of_standard_webhooks(headers: &HeaderMap, now: u64) -> Result<Claim, SignatureFault> {
    let header = |name| text(headers, name).ok_or(SignatureFault::NoWebhookHeader);
    let (id, timestamp) = (header(WEBHOOK_ID)?, header(WEBHOOK_TIMESTAMP)?);
    if !(1..=LONGEST_ID_BYTES).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SignatureFault::Id);
    }
    let seconds: u64 = timestamp.parse().map_err(|_| SignatureFault::Timestamp)?;
    if seconds.abs_diff(now) > TOLERANCE.as_secs() {
        return Err(SignatureFault::Stale);
    }
    let listed = header(WEBHOOK_SIGNATURE)?.split(' ').take(SIGNATURES);
    // Other versions are other algorithms.
    let signatures = listed.filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    let signatures: Vec<Vec<u8>> = signatures.collect();
    if signatures.is_empty() {
        return Err(SignatureFault::NoSignature);
    }
    Ok(Claim { signed_before: format!("{id}.{timestamp}."), signatures, id: Some(id.to_owned()) })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect::<Option<Vec<u8>>>().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The vector of the Standard Webhooks libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SENT: u64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(WEBHOOK_ID, "msg_p5jXN8AQM9LWM0D4loKWxJek".parse().unwrap());
        headers.insert(WEBHOOK_TIMESTAMP, SENT.into());
        headers.insert(WEBHOOK_SIGNATURE, signature.parse().unwrap());
        headers
    }

    #[test]
    fn the_published_vector_of_standard_webhooks_is_accepted_within_five_minutes() {
        let signature = Signature::standard_webhooks(&[SECRET]).unwrap();
        for now in [SENT - 300, SENT, SENT + 300] {
            let claim = signature.claim(&headers(SIGNED), now).unwrap();
            assert_eq!(claim.id.as_deref(), Some("msg_p5jXN8AQM9LWM0D4loKWxJek"));
            assert!(signature.verify(&claim, BODY));
            assert!(!signature.verify(&claim, b"{}"));
        }
        for now in [0, SENT - 301, SENT + 301, u64::MAX] {
            let fault = signature.claim(&headers(SIGNED), now).unwrap_err();
            assert_eq!(fault, SignatureFault::Stale);
            assert!(fault.hint().contains("clocks"), "{}", fault.hint());
        }
    }

    #[test]
    fn any_secret_and_any_signature_may_fit_and_one_must() {
        let other = format!("whsec_{}", STANDARD.encode([7; 24]));
        let rotating = Signature::standard_webhooks(&[&other, SECRET]).unwrap();
        let several = format!("v1a,AAAA v1,AAAA v1,*** {SIGNED}");
        let claim = rotating.claim(&headers(&several), SENT).unwrap();
        assert!(rotating.verify(&claim, BODY));
        let wrong = Signature::standard_webhooks(&[&other]).unwrap();
        assert!(!wrong.verify(&claim, BODY));
        for signature in ["", "v1a,AAAA", "v1,***", &SIGNED[3..]] {
            rotating.claim(&headers(signature), SENT).unwrap_err();
        }
        for secret in ["", "whsec_", "whsec_AAAA", "not base64!"] {
            Signature::standard_webhooks(&[secret]).unwrap_err();
        }
    }

    #[test]
    fn an_id_has_1_to_255_visible_characters() {
        let signature = Signature::standard_webhooks(&[SECRET]).unwrap();
        let claim = |id: &str| {
            let mut headers = headers(SIGNED);
            headers.insert(WEBHOOK_ID, id.parse().unwrap());
            signature.claim(&headers, SENT)
        };
        assert!(claim("m").is_ok() && claim(&"m".repeat(255)).is_ok());
        for id in ["", " ", "a b", &"m".repeat(256)] {
            assert!(claim(id).is_err_and(|fault| matches!(fault, SignatureFault::Id)), "{id:?}");
        }
    }

    #[test]
    fn githubs_published_vector_is_accepted() {
        let header = HeaderName::from_static("x-hub-signature-256");
        let signature = Signature::hmac(header.clone(), "sha256=", &["It's a Secret to Everybody"]);
        let digits = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let check = |value: &str, body: &[u8]| {
            let headers = HeaderMap::from_iter([(header.clone(), value.parse().unwrap())]);
            signature.claim(&headers, 0).is_ok_and(|claim| signature.verify(&claim, body))
        };
        assert!(check(&format!("sha256={digits}"), b"Hello, World!"));
        assert!(check(&format!("sha256={}", digits.to_uppercase()), b"Hello, World!"));
        assert!(!check(&format!("sha256={digits}"), b"Hello, World"));
        for value in [digits, "sha256=", "sha256=75", "sha256=zz", "sha256=757"] {
            assert!(!check(value, b"Hello, World!"), "{value}");
        }
    }
}

//! A webhook's receiver, or a collector of somebody's own: one path, one kind of proof, JSON bodies.
//!
//! Signatures are verified as the reference libraries do: over the bytes as they came, with five minutes of tolerance
//! for the clock. So a compressed body is refused (415). An id of Standard Webhooks stands for one message: the same
//! id with another body is a violation, because a receiver that knows the id would drop it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use ring::hmac;
use serde_json::json;
use serde_json::value::RawValue;

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Request};
use crate::siem::{Playing, Siem};
use crate::strict_json::{self, repetitions};
use crate::timestamp::now_ms;

const MAX_BODY_BYTES: usize = 1_000_000;
const TOLERANCE_S: u64 = 5 * 60;
/// How many ids are remembered.
const MOST_IDS: usize = 100_000;
/// Between 24 and 64 bytes, says Standard Webhooks.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// How a sender proves that it knows the secret.
#[derive(Clone, Debug)]
pub enum WebhookProof {
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature`; each secret begins with `whsec_`.
    StandardWebhooks { secrets: Vec<String> },
    /// Hex HMAC-SHA256 of the body in `X-Hub-Signature-256`, after `sha256=`.
    GitHub { secret: String },
    /// A header with exactly this value.
    Header { name: String, value: String },
}

impl Siem {
    /// Takes events at `path` and nowhere else.
    pub fn webhook(path: &str, proof: WebhookProof) -> Siem {
        let path = path.to_owned();
        Siem::new(move |config| {
            Playing::by(Webhook {
                path: path.clone(),
                proof: proof.clone(),
                max_body_bytes: config.max_body_bytes.unwrap_or(MAX_BODY_BYTES),
                bodies: Mutex::default(),
            })
        })
    }
}

struct Webhook {
    path: String,
    proof: WebhookProof,
    max_body_bytes: usize,
    /// By `webhook-id`.
    bodies: Mutex<HashMap<String, Bytes>>,
}

struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Rules for Webhook {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.take(request).unwrap_or_else(Refusal::answer)
    }
}

impl Webhook {
    fn take(&self, request: &Request) -> Result<Answer, Refusal> {
        if request.path != self.path {
            return Err(refuse(StatusCode::NOT_FOUND, format!("no such path: {}", request.path)));
        }
        if !matches!(request.method, Method::POST | Method::PUT) {
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, format!("method {}", request.method)));
        }
        let body = request.body.as_ref().map_err(unreadable)?;
        self.verify(request, body)?;
        let mut answer = Answer::empty(StatusCode::NO_CONTENT);
        answer.records = records(request, body)?;
        for (place, record) in answer.records.iter().enumerate() {
            let parsed = strict_json::parse(&record.raw).map_err(|error| bad(error.to_string()))?;
            answer.violations.extend(repetitions(&parsed.repeated_keys).map(|reason| (place, reason)));
        }
        answer.violations.extend(self.reused_id(request, body).map(|reason| (0, reason)));
        Ok(answer)
    }

    fn verify(&self, request: &Request, body: &[u8]) -> Result<(), Refusal> {
        match &self.proof {
            WebhookProof::StandardWebhooks { secrets } => verify_standard(request, body, secrets),
            WebhookProof::GitHub { secret } => verify_github(request, body, secret),
            WebhookProof::Header { name, value } => match request.header(name.as_str()) {
                Some(given) if given == value => Ok(()),
                given => Err(unauthorized(format!("the header {name} is {given:?}"))),
            },
        }
    }

    fn reused_id(&self, request: &Request, body: &Bytes) -> Option<String> {
        let id = request.header("webhook-id")?;
        // Nothing under this lock can leave the map half written.
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        match bodies.get(id) {
            Some(known) => (known != body).then(|| format!("the id {id} came before with another body")),
            None if bodies.len() < MOST_IDS => {
                bodies.insert(id.to_owned(), body.clone());
                None
            }
            None => None,
        }
    }
}

fn verify_standard(request: &Request, body: &[u8], secrets: &[String]) -> Result<(), Refusal> {
    let header = |name: &str| {
        request
            .header(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| unauthorized(format!("no {name}")))
    };
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let signatures = header("webhook-signature")?;
    if id.contains('.') {
        return Err(unauthorized(
            "a webhook-id must not hold a full stop: the signed text would be ambiguous",
        ));
    }
    check_clock(timestamp)?;
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let keys = secrets.iter().map(|secret| standard_key(secret)).collect::<Result<Vec<_>, _>>()?;
    // Other versions stand beside ours and are skipped, as the reference libraries do.
    let matches =
        signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).any(|signature| {
            let Ok(tag) = STANDARD.decode(signature) else { return false };
            keys.iter().any(|key| hmac::verify(key, &signed, &tag).is_ok())
        });
    if matches { Ok(()) } else { Err(unauthorized("no matching signature found")) }
}

fn check_clock(timestamp: &str) -> Result<(), Refusal> {
    let seconds: i64 = timestamp
        .parse()
        .map_err(|_| unauthorized(format!("webhook-timestamp {timestamp:?} is not a number of seconds")))?;
    let now_s = now_ms() / 1_000;
    if now_s.abs_diff(seconds) <= TOLERANCE_S {
        return Ok(());
    }
    Err(unauthorized(if seconds < now_s { "message timestamp too old" } else { "message timestamp too new" }))
}

fn standard_key(secret: &str) -> Result<hmac::Key, Refusal> {
    let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(encoded).ok().filter(|key| SECRET_BYTES.contains(&key.len()));
    let key = key.ok_or_else(|| {
        refuse(StatusCode::INTERNAL_SERVER_ERROR, "the receiver's own secret is not 24 to 64 bytes in base64")
    })?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

fn verify_github(request: &Request, body: &[u8], secret: &str) -> Result<(), Refusal> {
    const HEADER: &str = "x-hub-signature-256";
    let given = request.header(HEADER).ok_or_else(|| unauthorized(format!("no {HEADER}")))?;
    let tag = given.strip_prefix("sha256=").and_then(lower_hex).ok_or_else(|| {
        unauthorized(format!("{HEADER} is not sha256= and 64 lowercase hexadecimal digits"))
    })?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, body, &tag).map_err(|_| unauthorized("the signature does not match the body"))
}

/// Comparing receivers compare texts, so capitals never match.
fn lower_hex(text: &str) -> Option<Vec<u8>> {
    const DIGITS: usize = 64;
    if text.len() != DIGITS || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}

/// An object, an array of objects, or lines of objects, as the content type says.
fn records(request: &Request, body: &[u8]) -> Result<Vec<Record>, Refusal> {
    let content_type = request.header(header::CONTENT_TYPE).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let text = std::str::from_utf8(body).map_err(|error| bad(error.to_string()))?;
    let texts: Vec<&str> = match media_type {
        "application/x-ndjson" => lines(text)?,
        "application/json" if text.trim_start().starts_with('[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
            items.into_iter().map(RawValue::get).collect()
        }
        "application/json" => vec![text],
        _ => {
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("content type {content_type:?}")));
        }
    };
    texts.into_iter().enumerate().map(|(place, text)| record(place, text)).collect()
}

fn lines(text: &str) -> Result<Vec<&str>, Refusal> {
    let lines = text.strip_suffix('\n').ok_or_else(|| bad("the last line does not end"))?;
    Ok(lines.split('\n').collect())
}

fn record(place: usize, text: &str) -> Result<Record, Refusal> {
    let parsed = strict_json::parse(text).map_err(|error| bad(format!("event {place}: {error}")))?;
    if !parsed.value.is_object() {
        return Err(bad(format!("event {place} is not an object")));
    }
    Ok(Record { value: parsed.value, raw: text.to_owned() })
}

fn unreadable(error: &BodyError) -> Refusal {
    let status = match error {
        BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::UnsupportedEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        BodyError::Corrupt(_) => StatusCode::BAD_REQUEST,
    };
    refuse(status, error.to_string())
}

fn bad(reason: impl Into<String>) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, reason)
}

fn unauthorized(reason: impl Into<String>) -> Refusal {
    refuse(StatusCode::UNAUTHORIZED, reason)
}

fn refuse(status: StatusCode, reason: impl Into<String>) -> Refusal {
    Refusal { status, reason: reason.into() }
}

impl Refusal {
    fn answer(self) -> Answer {
        let mut answer = Answer::json(self.status, &json!({ "error": self.reason }));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            answer.header(header::ALLOW, HeaderValue::from_static("POST, PUT"));
        }
        answer.refused(self.reason)
    }
}

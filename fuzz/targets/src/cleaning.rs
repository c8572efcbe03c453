//! An answer that holds a secret in some form, between texts that the SIEM chose.
//!
//! Promises: nothing panics; the form does not survive, in the body or in a header, and neither does the secret.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use siemaphore_delivery::fuzzing::cleaned;
use siemaphore_secrets::Secret;

use crate::words::Words;

const FORMS: [fn(&str) -> String; 8] = [
    str::to_owned,
    |text| STANDARD.encode(text),
    |text| URL_SAFE_NO_PAD.encode(text),
    |text| url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
    json,
    |text| text.bytes().map(|byte| format!("{byte:02x}")).collect(),
    |text| text.bytes().map(|byte| format!("%{byte:02X}")).collect(),
    |text| text.chars().map(|character| format!("&#{};", u32::from(character))).collect(),
];
/// Shorter ones are not secrets, and are told apart from ordinary text by nobody.
const SHORTEST: usize = 8;

/// `secret \0 form \0 form within it \0 before \0 after`
pub fn run(input: &[u8]) {
    let mut words = Words::of(input);
    let (secret, outer, inner) = (words.text(), words.number(), words.number());
    let is_usable =
        secret.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && secret.trim() == secret;
    if !is_usable || secret.len() < SHORTEST || secret.len() > 200 || secret.contains("secret") {
        return;
    }
    let form = |number: u64| FORMS[number as usize % FORMS.len()];
    // Two layers only in the orders that are known to occur: text within text, or text within bytes.
    let spelled = if is_text(inner) { form(inner)(&secret) } else { secret.clone() };
    let written = form(outer)(&spelled);
    let (before, after) = (words.text(), words.text());
    let whole = format!("{before}{written}{after}");
    let secrets = [Secret::new(&secret)];
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&whole) {
        headers.insert(HeaderName::from_static("x-echo"), value);
    }
    let answer = siemaphore_http::Answer { status: 400, headers, body: Bytes::from(whole), truncated: false };
    let answer = cleaned(&secrets, answer);
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    for text in answer.headers.iter().map(|(_, value)| value.as_str()).chain([body.as_str()]) {
        for form in [&written, &spelled, &secret] {
            let survives = text.to_ascii_lowercase().contains(&form.to_ascii_lowercase());
            assert!(!survives, "{form:?} of {secret:?} is left in {text:?}");
        }
    }
}

/// Without the quotes around it, and with one at its end, should there be one.
fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("text");
    quoted[1..quoted.len() - 1].to_owned()
}

/// Forms that are written into requests; the others are what tools make of a whole request.
fn is_text(form: u64) -> bool {
    matches!(form as usize % FORMS.len(), 0 | 3 | 4)
}

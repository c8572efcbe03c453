//! The forms that software is known to give a secret.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use super::{LAYERS, MIN_REPLACED_BYTES, escapes, joined};

/// Every form in which a secret may come back: each way to write it down, each of these within another text, and each
/// as bytes in base64 or hexadecimal, as tools show the body of a request that had it.
pub(super) fn forms_of(secret: &str, forms: &mut Vec<Zeroizing<Vec<u8>>>) {
    let spellings = distinct(spellings_of(secret));
    for spelling in &spellings {
        add_encoded(spelling, forms);
    }
    let nested = spellings.iter().flat_map(|spelling| spellings_of(spelling)).collect();
    forms.extend(distinct(nested).iter().map(|text| Zeroizing::new(text.as_bytes().to_vec())));
    add_as_read(secret, forms);
    // Texts are searched without white space, too.
    let spaced = forms.iter().filter(|form| form.iter().any(u8::is_ascii_whitespace));
    let mut without: Vec<_> = spaced.map(|form| Zeroizing::new(joined(form))).collect();
    forms.append(&mut without);
}

/// A text as texts of several kinds hold it, itself among them. Most secrets are letters and digits, and the same in
/// all of them.
fn spellings_of(text: &str) -> Vec<Zeroizing<String>> {
    let json = Zeroizing::new(serde_json::to_string(text).unwrap_or_default());
    let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or_default();
    let spellings = [
        text.to_owned(),
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        crate::path::encode(text),
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        json.replace('/', "\\/"),
        json.to_owned(),
        html_escaped(text),
    ];
    spellings.into_iter().map(Zeroizing::new).collect()
}

fn distinct(mut texts: Vec<Zeroizing<String>>) -> Vec<Zeroizing<String>> {
    texts.sort_unstable_by(|one, other| one.as_str().cmp(other));
    texts.dedup_by(|one, other| one.as_str() == other.as_str());
    texts
}

fn add_encoded(spelling: &str, forms: &mut Vec<Zeroizing<Vec<u8>>>) {
    let mut add = |form: String| forms.push(Zeroizing::new(form.into_bytes()));
    add(hexadecimal(spelling));
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        add(engine.encode(spelling));
    }
    for offset in 0..3 {
        add(inner_base64(&STANDARD_NO_PAD, spelling, offset));
        add(inner_base64(&URL_SAFE_NO_PAD, spelling, offset));
    }
}

/// What reading escapes makes of the secret: one with `%41` in it is `A` there. And a space may have become a plus.
fn add_as_read(secret: &str, forms: &mut Vec<Zeroizing<Vec<u8>>>) {
    let mut form = Zeroizing::new(secret.as_bytes().to_vec());
    for layer in 0..=LAYERS {
        let mut pluses = form.clone();
        pluses.iter_mut().filter(|byte| **byte == b' ').for_each(|byte| *byte = b'+');
        // A secret of nothing but escapes must not withhold every answer that has its few letters.
        if layer == 0 || form.len() >= MIN_REPLACED_BYTES {
            forms.extend([pluses, form.clone()]);
        }
        let Some(read) = escapes::read(&form) else { break };
        form = Zeroizing::new(read);
    }
}

/// The part of a longer text's base64 that depends on the secret alone, when the secret begins `offset` bytes after a
/// multiple of three.
fn inner_base64(engine: &impl Engine, secret: &str, offset: usize) -> String {
    let mut padded = Zeroizing::new(Vec::with_capacity(offset + secret.len()));
    padded.resize(offset, 0);
    padded.extend_from_slice(secret.as_bytes());
    let encoded = Zeroizing::new(engine.encode(padded.as_slice()));
    // A character holds six bits; those at the edges share theirs with a neighbour.
    let first = (offset * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    encoded.get(first..last).unwrap_or_default().to_owned()
}

fn hexadecimal(text: &str) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    text.bytes().flat_map(|byte| [byte >> 4, byte & 0xf]).filter_map(digit).collect()
}

fn html_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

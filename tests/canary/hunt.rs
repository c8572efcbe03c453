//! Looking for a secret in whatever form software may have given it.
//!
//! Written apart from the host's own cleaning, so that both would have to forget the same form. What is looked for is
//! pieces: half a secret is found, too.

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// So much of a secret is too long to be met by accident.
const PIECE_BYTES: usize = 12;

/// Every piece of every form of some secrets.
pub(crate) struct Hunt {
    pieces: AhoCorasick,
    /// Where each piece comes from, by its number.
    origins: Vec<String>,
}

#[allow(dead_code, reason = "each test binary uses some of it")]
impl Hunt {
    pub(crate) fn for_secrets<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Hunt {
        let mut pieces = Vec::new();
        let mut origins = Vec::new();
        for secret in secrets {
            assert!(secret.len() >= PIECE_BYTES, "too short to be told from other text: {secret}");
            for (name, form) in forms(secret) {
                let length = (PIECE_BYTES * form.len() / secret.len()).min(form.len());
                for piece in form.windows(length) {
                    pieces.push(piece.to_vec());
                    origins.push(format!("{name} of {secret}"));
                }
            }
        }
        let pieces = AhoCorasick::builder().ascii_case_insensitive(true).build(pieces).expect("an automaton");
        Hunt { pieces, origins }
    }

    /// Which form of which secret `bytes` hold, and what is around it.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Option<String> {
        let found = self.pieces.find(bytes)?;
        let around = found.start().saturating_sub(60)..(found.end() + 60).min(bytes.len());
        Some(format!(
            "{}: …{}…",
            self.origins[found.pattern().as_usize()],
            String::from_utf8_lossy(&bytes[around])
        ))
    }

    #[track_caller]
    pub(crate) fn assert_absent(&self, place: &str, bytes: impl AsRef<[u8]>) {
        if let Some(found) = self.found_in(bytes.as_ref()) {
            panic!("{place} holds the {found}");
        }
    }
}

/// The forms of a secret that software is known to make. Letter case is left to the search.
fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let each = |write: fn(u8) -> String| secret.bytes().map(write).collect::<String>();
    let spellings = [
        ("secret itself", secret.to_owned()),
        ("URL-encoded form", each(|byte| plain_or(byte, b"-._~", |byte| format!("%{byte:02x}")))),
        ("form-encoded form", url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()),
        ("JSON form", serde_json::to_string(secret).expect("text").trim_matches('"').to_owned()),
        ("HTML form", each(|byte| plain_or(byte, b"-._~+=/", |byte| format!("&#{byte};")))),
        ("other HTML form", each(html)),
        ("form with every character escaped", each(|byte| format!("\\u{byte:04x}"))),
        ("form with every byte in percent", each(|byte| format!("%{byte:02x}"))),
        ("hexadecimal form", each(|byte| format!("{byte:02x}"))),
    ];
    let mut forms = Vec::new();
    for (name, spelling) in spellings {
        // The text that it stands in may begin one or two bytes earlier.
        for before in ["", "x", "xy"] {
            forms.push(("base64", inner(&STANDARD.encode(format!("{before}{spelling}xy")))));
            forms.push(("URL-safe base64", inner(&URL_SAFE.encode(format!("{before}{spelling}xy")))));
        }
        forms.push((name, spelling.into_bytes()));
    }
    forms
}

fn plain_or(byte: u8, plain: &[u8], escape: fn(u8) -> String) -> String {
    if byte.is_ascii_alphanumeric() || plain.contains(&byte) { char::from(byte).into() } else { escape(byte) }
}

fn html(byte: u8) -> String {
    match byte {
        b'&' => "&amp;".to_owned(),
        b'<' => "&lt;".to_owned(),
        b'"' => "&quot;".to_owned(),
        b'+' | b'/' | b'=' | b'~' => format!("&#x{byte:x};"),
        other => char::from(other).into(),
    }
}

/// Without the characters at both ends that belong to other text, too.
fn inner(encoded: &str) -> Vec<u8> {
    encoded.as_bytes()[4..encoded.len() - 8].to_vec()
}

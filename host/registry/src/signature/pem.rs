//! PEM of one block: all that keys need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

pub(super) const PUBLIC_KEY: &str = "PUBLIC KEY";
pub(super) const PRIVATE_KEY: &str = "PRIVATE KEY";
const LINE_CHARACTERS: usize = 64;

/// A block, whose content is still text: it may be somebody's secret.
pub(super) struct Pem<'a> {
    pub(super) label: &'a str,
    base64: &'a str,
}

impl<'a> Pem<'a> {
    /// The first block of a text, if it has one.
    pub(super) fn parse(text: &'a str) -> Option<Pem<'a>> {
        let (_, rest) = text.split_once("-----BEGIN ")?;
        let (label, rest) = rest.split_once("-----")?;
        let (base64, _) = rest.split_once("-----END ")?;
        Some(Pem { label, base64 })
    }

    /// Forgotten when it is dropped.
    pub(super) fn content(&self) -> Option<Zeroizing<Vec<u8>>> {
        let one_line: String = self.base64.split_ascii_whitespace().collect();
        STANDARD.decode(Zeroizing::new(one_line).as_bytes()).ok().map(Zeroizing::new)
    }
}

pub(super) fn write(label: &str, content: &[u8]) -> String {
    let base64 = Zeroizing::new(STANDARD.encode(content));
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(LINE_CHARACTERS) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

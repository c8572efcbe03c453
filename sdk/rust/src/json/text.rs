//! Strings to JSON and back.

use std::borrow::Cow;

/// Appends `value` as a JSON string. Eight bytes are checked and copied at a time; only those that hold something to
/// escape are looked at one by one.
#[inline]
pub(super) fn quote(out: &mut Vec<u8>, value: &str) {
    out.reserve(value.len() + 2);
    out.push(b'"');
    let (chunks, rest) = value.as_bytes().as_chunks::<8>();
    for chunk in chunks {
        if has_special(u64::from_le_bytes(*chunk)) {
            chunk.iter().for_each(|&byte| escape(out, byte));
        } else {
            out.extend_from_slice(chunk);
        }
    }
    rest.iter().for_each(|&byte| escape(out, byte));
    out.push(b'"');
}

/// The text of a JSON string without its quotes. Borrowed unless something is escaped.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    // Rare, and surrogate pairs are best left to the library.
    let parsed = serde_json::from_str::<String>(&format!("\"{raw}\""));
    Cow::Owned(parsed.unwrap_or_else(|_| raw.to_owned()))
}

#[inline]
fn escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        0x20.. => out.push(byte),
        control => escape_control(out, control),
    }
}

#[cold]
fn escape_control(out: &mut Vec<u8>, control: u8) {
    let short = match control {
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(control >> 4), digit(control & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Whether one of eight bytes is a quote, a backslash or a control character.
#[inline]
fn has_special(eight: u64) -> bool {
    (below(eight, 0x20) | equal(eight, b'"') | equal(eight, b'\\')) != 0
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Not zero if one of eight bytes equals `byte`.
#[inline]
pub(super) fn equal(eight: u64, byte: u8) -> u64 {
    below(eight ^ (ONES * u64::from(byte)), 1)
}

/// Not zero if one of eight bytes is below `limit`, which is at most 128.
#[inline]
fn below(eight: u64, limit: u8) -> u64 {
    eight.wrapping_sub(ONES * u64::from(limit)) & !eight & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(value: &str) -> String {
        let mut out = Vec::new();
        quote(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_character_survives_at_every_offset() {
        let characters = (0..0x100).chain([0x2028, 0xfeff, 0x1f600]).filter_map(char::from_u32);
        for character in characters {
            for padding in 0..17 {
                let value = format!("{}{character}{}", "a".repeat(padding), "é".repeat(16 - padding));
                let text = quoted(&value);
                assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
                assert!(text.bytes().all(|byte| byte >= 0x20), "{text:?}");
                assert_eq!(unescape(&text[1..text.len() - 1]), value);
            }
        }
    }

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(unescape("identity"), Cow::Borrowed("identity")));
        assert_eq!(unescape(r"\u0069dentit\u0079"), "identity");
    }
}

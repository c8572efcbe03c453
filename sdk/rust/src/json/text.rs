//! Strings to JSON and back.

use std::borrow::Cow;

/// Up to this length, copying in registers beats the guest's `memory.copy`, which is a call into the host.
const SHORT_BYTES: usize = 64;

/// Appends `value` as a JSON string. Eight bytes are checked and copied at a time; only a value that holds something
/// to escape is looked at byte by byte.
#[inline]
pub(super) fn quote(out: &mut Vec<u8>, value: &str) {
    out.reserve(value.len() + 2);
    out.push(b'"');
    let start = out.len();
    if !copy_clean(out, value.as_bytes()) {
        out.truncate(start);
        value.bytes().for_each(|byte| escape(out, byte));
    }
    out.push(b'"');
}

/// Appends bytes of any length.
#[inline]
pub(super) fn copy(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() > SHORT_BYTES {
        out.extend_from_slice(bytes);
        return;
    }
    out.reserve(bytes.len());
    let (chunks, rest) = bytes.as_chunks::<8>();
    chunks.iter().for_each(|chunk| out.extend_from_slice(chunk));
    if rest.is_empty() {
        return;
    }
    match bytes.last_chunk::<8>() {
        Some(last) => overlap(out, *last, rest.len()),
        None => rest.iter().for_each(|&byte| out.push(byte)),
    }
}

/// As [`copy`], but stops and returns false when something has to be escaped.
#[inline]
fn copy_clean(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        if has_special(u64::from_le_bytes(*chunk)) {
            return false;
        }
        out.extend_from_slice(chunk);
    }
    if rest.is_empty() {
        return true;
    }
    if let Some(last) = bytes.last_chunk::<8>() {
        overlap(out, *last, rest.len());
        return !has_special(u64::from_le_bytes(*last));
    }
    for &byte in rest {
        if matches!(byte, b'"' | b'\\' | ..0x20) {
            return false;
        }
        out.push(byte);
    }
    true
}

/// Appends the last `new` of eight bytes; those before them are at the end of `out` already.
#[inline]
fn overlap(out: &mut Vec<u8>, last: [u8; 8], new: usize) {
    out.truncate(out.len() + new - 8);
    out.extend_from_slice(&last);
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

/// Whether two keys are the same. Most are not, and their lengths and last bytes tell without a call: the guest's
/// `memcmp` goes byte by byte.
#[inline]
pub(super) fn same(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.as_bytes().last() == right.as_bytes().last() && left == right
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
    fn bytes_of_every_length_are_copied_whole() {
        let bytes: Vec<u8> = (0..200).collect();
        for length in 0..bytes.len() {
            let mut out = b"before".to_vec();
            copy(&mut out, &bytes[..length]);
            assert_eq!((&out[..6], &out[6..]), (&b"before"[..], &bytes[..length]));
        }
    }

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(unescape("identity"), Cow::Borrowed("identity")));
        assert_eq!(unescape(r"\u0069dentit\u0079"), "identity");
    }
}

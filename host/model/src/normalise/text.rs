//! JSON strings: how far plain text runs, what an escape is, what it means.

/// The inside of a string, without the quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) escaped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Escape {
    pub(super) length: usize,
    pub(super) lone_surrogate: bool,
    character: char,
}

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES << 7;

/// How many bytes come before the next quote, backslash or control character.
///
/// Eight bytes at a time, because strings are most of an event. In each of the three masks the lowest bit set is exact
/// (only a true hit can borrow from the bytes above it), so the lowest of all three is.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * u64::from(b'"'));
        let backslash = word ^ (ONES * u64::from(b'\\'));
        let hits = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let hits = hits & HIGHS;
        if hits != 0 {
            return index * 8 + hits.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    words.len() * 8 + rest.iter().position(special).unwrap_or(rest.len())
}

/// Reads the escape that `bytes` begin with.
pub(super) fn escape(bytes: &[u8]) -> Option<Escape> {
    let character = match bytes.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(bytes),
        _ => return None,
    };
    Some(Escape { length: 2, lone_surrogate: false, character })
}

fn unicode_escape(bytes: &[u8]) -> Option<Escape> {
    let first = code_unit(bytes)?;
    if let Some(character) = char::from_u32(first) {
        return Some(Escape { length: 6, lone_surrogate: false, character });
    }
    let second = bytes.get(6..).filter(|rest| rest.starts_with(b"\\u")).and_then(code_unit);
    if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, second)
        && let Some(character) = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    {
        return Some(Escape { length: 12, lone_surrogate: false, character });
    }
    Some(Escape { length: 6, lone_surrogate: true, character: char::REPLACEMENT_CHARACTER })
}

/// The four hexadecimal digits after `\u`.
fn code_unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.get(2..6)?;
    digits.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

/// The meaning of the inside of a string that the walk has read.
pub(super) fn unescape(mut inside: &[u8]) -> String {
    let mut text = Vec::with_capacity(inside.len());
    while let Some(at) = memchr::memchr(b'\\', inside) {
        let (plain, rest) = inside.split_at(at);
        text.extend_from_slice(plain);
        let Some(escape) = escape(rest) else { break };
        text.extend_from_slice(escape.character.encode_utf8(&mut [0; 4]).as_bytes());
        inside = rest.get(escape.length..).unwrap_or_default();
    }
    text.extend_from_slice(inside);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends `text` as a JSON string.
pub(super) fn write_string(text: &str, into: &mut String) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            '\0'..' ' => into.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => into.push(character),
        }
    }
    into.push('"');
}

/// The longest beginning of `text` with at most so many bytes.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_byte_is_found_at_every_place_beside_every_neighbour() {
        for special in [b'"', b'\\', 0, 0x1f, b'\n'] {
            for length in 0..20 {
                for neighbour in [b'!', b'#', b' ', b'[', b']', 0x7f, 0x80, 0xff, 0xa2, 0xdc] {
                    let mut bytes = vec![neighbour; length];
                    assert_eq!(plain_length(&bytes), length);
                    bytes.push(special);
                    bytes.extend_from_slice(&[neighbour; 9]);
                    assert_eq!(plain_length(&bytes), length, "{special:#x} beside {neighbour:#x}");
                }
            }
        }
    }

    #[test]
    fn escapes_mean_what_serde_json_takes_them_for() {
        for inside in [r#"a\"b\\c\/d\b\f\n\r\té"#, r"\u0041\u00e9\u20ac\uD83D\ude00", ""] {
            let expected: String = serde_json::from_str(&format!("\"{inside}\"")).unwrap();
            assert_eq!(unescape(inside.as_bytes()), expected);
        }
    }

    #[test]
    fn half_a_surrogate_pair_becomes_the_replacement_character() {
        assert_eq!(unescape(br"a\ud83db"), "a\u{fffd}b");
        assert_eq!(unescape(br"\ud83d\ud83d\ude00\ude00"), "\u{fffd}\u{1f600}\u{fffd}");
        assert_eq!(unescape(br"\ud83d\u0041"), "\u{fffd}A");
    }

    #[test]
    fn written_strings_are_read_back_as_they_were() {
        let text = "a\"\\\n\r\t\u{0}\u{1f}\u{7f}é\u{1f600}";
        let mut written = String::new();
        write_string(text, &mut written);
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("", 3), "");
    }
}

//! Reading escapes, to see what stands behind them.
//!
//! Nobody says in which language an answer is written, and often there are several at once: HTML with a URL within a
//! JSON string. So what is an escape in any of them is read in all of them. The result is for finding secrets and for
//! nothing else: what happens to look like an escape is read, too, and surrogate pairs are left out.

use std::ops::RangeInclusive;

/// The text with its escapes read once: those of JSON, JavaScript and C (`\u002B`, `\x2b`, `\/`), of URLs (`%2B`) and
/// of HTML (`&#43;`, `&#x2b;`, `&plus;`). Control characters other than white space are left out, as operators are
/// not shown them; so UTF-16 is read, too. None when there is nothing to read.
pub(super) fn read(text: &[u8]) -> Option<Vec<u8>> {
    if !text.iter().any(|&byte| matches!(byte, b'\\' | b'%' | b'&') || is_left_out(byte)) {
        return None;
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let escape = match first {
            b'\\' => backslash(after),
            b'%' => percent(after),
            b'&' => entity(after),
            control if is_left_out(control) => Some((Meaning::Nothing, 0)),
            _ => None,
        };
        let (meaning, length) = escape.unwrap_or((Meaning::Byte(first), 0));
        meaning.append_to(&mut plain);
        rest = after.get(length..).unwrap_or_default();
    }
    Some(plain)
}

/// What an escape stands for.
#[derive(Clone, Copy)]
enum Meaning {
    Nothing,
    Byte(u8),
    Character(u32),
}

impl Meaning {
    fn append_to(self, plain: &mut Vec<u8>) {
        match self {
            Meaning::Nothing => {}
            Meaning::Byte(byte) => plain.push(byte),
            Meaning::Character(number) => {
                let character = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
                plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
}

/// A meaning, and how many bytes after the first one belong to the escape.
type Escape = (Meaning, usize);

fn is_left_out(byte: u8) -> bool {
    byte.is_ascii_control() && !byte.is_ascii_whitespace()
}

fn backslash(after: &[u8]) -> Option<Escape> {
    let (first, digits) = after.split_first()?;
    let character = match first {
        b'u' => braced(digits).or_else(|| number(digits, 16, 4..=4)),
        b'U' => number(digits, 16, 8..=8),
        b'x' => number(digits, 16, 2..=2),
        b'n' => Some((u32::from(b'\n'), 0)),
        b'r' => Some((u32::from(b'\r'), 0)),
        b't' => Some((u32::from(b'\t'), 0)),
        b'\\' => Some((u32::from(b'\\'), 0)),
        _ => None,
    };
    // Any other character stands for itself, and may begin an escape of another language.
    Some(
        character
            .map_or((Meaning::Nothing, 0), |(character, length)| (Meaning::Character(character), 1 + length)),
    )
}

/// `{2B}`, as in JavaScript and Rust.
fn braced(text: &[u8]) -> Option<(u32, usize)> {
    let (character, length) = number(text.strip_prefix(b"{")?, 16, 1..=8)?;
    (text.get(1 + length) == Some(&b'}')).then_some((character, length + 2))
}

fn percent(after: &[u8]) -> Option<Escape> {
    if let Some(digits) = after.strip_prefix(b"u")
        && let Some((character, length)) = number(digits, 16, 4..=4)
    {
        return Some((Meaning::Character(character), 1 + length));
    }
    let (byte, length) = number(after, 16, 2..=2)?;
    Some((Meaning::Byte(u8::try_from(byte).ok()?), length))
}

fn entity(after: &[u8]) -> Option<Escape> {
    let Some(numeric) = after.strip_prefix(b"#") else { return named(after) };
    let hexadecimal = numeric.strip_prefix(b"x").or_else(|| numeric.strip_prefix(b"X"));
    let (character, length) = match hexadecimal {
        Some(digits) => number(digits, 16, 1..=8).map(|(character, length)| (character, 2 + length)),
        None => number(numeric, 10, 1..=10).map(|(character, length)| (character, 1 + length)),
    }?;
    // Browsers do without the semicolon.
    let semicolon = usize::from(after.get(length) == Some(&b';'));
    Some((Meaning::Character(character), length + semicolon))
}

fn named(after: &[u8]) -> Option<Escape> {
    let length = after.iter().take(LONGEST_NAME + 1).position(|&byte| byte == b';')?;
    let name = after.get(..length)?;
    let (_, byte) = NAMED.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))?;
    Some((Meaning::Byte(*byte), length + 1))
}

/// The number that `text` begins with, read as far as its digits go or the count allows, and how long it is.
fn number(text: &[u8], radix: u32, count: RangeInclusive<usize>) -> Option<(u32, usize)> {
    let digits = text.iter().map_while(|&byte| char::from(byte).to_digit(radix)).take(*count.end());
    let (number, length) = digits.fold((Some(0_u32), 0), |(number, length), digit| {
        (number.and_then(|number| number.checked_mul(radix)?.checked_add(digit)), length + 1)
    });
    count.contains(&length).then_some((number?, length))
}

const LONGEST_NAME: usize = 8;

/// The names that HTML has for ASCII characters.
const NAMED: [(&str, u8); 40] = [
    ("amp", b'&'),
    ("lt", b'<'),
    ("gt", b'>'),
    ("quot", b'"'),
    ("apos", b'\''),
    ("plus", b'+'),
    ("sol", b'/'),
    ("equals", b'='),
    ("lowbar", b'_'),
    ("underbar", b'_'),
    ("period", b'.'),
    ("colon", b':'),
    ("semi", b';'),
    ("comma", b','),
    ("excl", b'!'),
    ("num", b'#'),
    ("dollar", b'$'),
    ("percnt", b'%'),
    ("lpar", b'('),
    ("rpar", b')'),
    ("ast", b'*'),
    ("midast", b'*'),
    ("quest", b'?'),
    ("commat", b'@'),
    ("lsqb", b'['),
    ("lbrack", b'['),
    ("rsqb", b']'),
    ("rbrack", b']'),
    ("bsol", b'\\'),
    ("hat", b'^'),
    ("grave", b'`'),
    ("lcub", b'{'),
    ("lbrace", b'{'),
    ("rcub", b'}'),
    ("rbrace", b'}'),
    ("vert", b'|'),
    ("verbar", b'|'),
    ("nbsp", b' '),
    ("tab", b'\t'),
    ("newline", b'\n'),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        read(text.as_bytes()).map(|plain| String::from_utf8(plain).expect("text"))
    }

    #[test]
    fn every_spelling_of_a_character_is_read() {
        for spelling in [
            "\\u002B",
            "\\u002b",
            "\\u{2b}",
            "\\U0000002B",
            "\\x2B",
            "\\+",
            "%2b",
            "%2B",
            "%u002B",
            "&#43;",
            "&#043",
            "&#x2B;",
            "&#X2b;",
            "&plus;",
            "&PLUS;",
            "\0+",
        ] {
            assert_eq!(shown(&format!("a{spelling}b")).as_deref(), Some("a+b"), "{spelling}");
        }
        assert_eq!(shown("a\\nb\\r\\t\\\\n\\/").as_deref(), Some("a\nb\r\t\\n/"));
        assert_eq!(shown("%C3%BC&#252;\\u00fc").as_deref(), Some("üüü"));
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in ["100 %", "%2", "%zz", "a & b", "&unknown;", "&#;", "&#x;", "&#99999999999;", "a\\"] {
            assert_eq!(shown(text).as_deref(), Some(text));
        }
        assert_eq!(shown("nothing\r\n\tto read"), None);
        assert_eq!(shown("\\ud800x").as_deref(), Some("\u{fffd}x"));
    }

    #[test]
    fn one_reading_takes_one_layer() {
        assert_eq!(shown("%252B").as_deref(), Some("%2B"));
        assert_eq!(shown("\\\\u002B").as_deref(), Some("\\u002B"));
        assert_eq!(shown("&amp;#43;").as_deref(), Some("&#43;"));
    }
}

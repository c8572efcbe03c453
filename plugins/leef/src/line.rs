//! LEEF's text rules. Nothing can be escaped in it, so what would be misread is replaced: the delimiter and everything
//! that ends a line by a space in values, pipes by a space in the header.

use siemaphore_sdk::Writer;
use siemaphore_sdk::text::cut_bytes;

/// The character between attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delimiter(char);

/// Signs that keys, numbers and the structure of a JSON document do without.
const DELIMITERS: &str = "\t^~!#$%&;*@`<>";

impl Delimiter {
    pub(crate) fn parse(text: &str) -> Result<Delimiter, String> {
        let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix('x'));
        let mut characters = text.chars();
        let delimiter = match (text, hexadecimal, characters.next(), characters.next()) {
            ("tab", ..) => Some('\t'),
            (_, Some(digits), ..) if (1..=4).contains(&digits.len()) => {
                u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
            }
            (_, _, Some(character), None) => Some(character),
            _ => None,
        };
        delimiter.filter(|delimiter| DELIMITERS.contains(*delimiter)).map(Delimiter).ok_or_else(|| {
            format!("{text:?} cannot separate attributes: write tab, one of ^ ~ ! # $ % & ; * @ ` < >, or its code such as x5E")
        })
    }

    /// As the header names it.
    fn name(self) -> String {
        if self.0 == '\t' { "x09".to_owned() } else { self.0.to_string() }
    }

    /// Within a JSON document a delimiter can only be part of a text, where its escape means the same.
    pub(crate) fn escape_in_json(self, document: &str) -> String {
        if self.0 == '\t' || !document.contains(self.0) {
            return document.to_owned();
        }
        document.replace(self.0, &format!("\\u{:04x}", u32::from(self.0)))
    }

    fn is_plain(self, character: char) -> bool {
        character != self.0 && !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}')
    }
}

/// A line being written: attributes within a number of bytes.
pub(crate) struct Line<'a> {
    record: &'a mut Writer,
    delimiter: Delimiter,
    /// Where the record has to end at the latest.
    end: usize,
    empty: bool,
}

impl<'a> Line<'a> {
    pub(crate) fn begin(
        record: &'a mut Writer,
        header: &[String; 4],
        delimiter: Delimiter,
        most: usize,
    ) -> Line<'a> {
        let end = record.len() + most;
        record.raw("LEEF:2.0|");
        for field in header {
            record.raw(field);
            record.raw("|");
        }
        record.raw(&delimiter.name());
        record.raw("|");
        Line { record, delimiter, end, empty: true }
    }

    /// An attribute whose value is at most so many bytes. Left out when it is empty or has no room.
    pub(crate) fn attribute(&mut self, key: &str, value: &str, most: usize) {
        let value: String = value
            .chars()
            .map(|character| if self.delimiter.is_plain(character) { character } else { ' ' })
            .collect();
        // The delimiter, which is one byte, and the equals sign.
        let room = self.end.saturating_sub(self.record.len()).saturating_sub(key.len() + 2);
        let value = cut_bytes(value.trim(), most.min(room));
        if value.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.empty, false) {
            self.record.raw(self.delimiter.0.encode_utf8(&mut [0; 4]));
        }
        self.record.raw(key);
        self.record.raw("=");
        self.record.raw(&value);
    }
}

/// A field of the header.
pub(crate) fn header(value: &str, most: usize) -> String {
    let plain =
        |character: char| character.is_control() || matches!(character, '|' | '\u{2028}' | '\u{2029}');
    let value: String =
        value.chars().map(|character| if plain(character) { ' ' } else { character }).collect();
    cut_bytes(value.trim(), most).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_a_word_a_sign_or_a_code() {
        for (text, delimiter) in [
            ("tab", '\t'),
            ("\t", '\t'),
            ("x09", '\t'),
            ("0x9", '\t'),
            ("^", '^'),
            ("x5E", '^'),
            ("0x005e", '^'),
        ] {
            assert_eq!(Delimiter::parse(text), Ok(Delimiter(delimiter)), "{text}");
        }
        for text in
            ["", "a", "x", "=", "|", " ", "\n", "{", "\"", ",", "-", ".", "^^", "x0A", "x00005E", "x5G", "é"]
        {
            assert!(Delimiter::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_would_be_misread_is_replaced() {
        let mut record = Writer::default();
        let fields =
            [header("a|b\tc", 255), header(" é|", 255), header(&"x".repeat(300), 255), header("", 255)];
        let mut line = Line::begin(&mut record, &fields, Delimiter('^'), 1_000);
        line.attribute("a", "x^y\tz\r\n=|w\u{2028}", 100);
        line.attribute("empty", " ^ ", 100);
        line.attribute("b", "1", 100);
        let text = String::from_utf8(record.into_bytes()).unwrap();
        let expected = format!("LEEF:2.0|a b c|é|{}…||^|a=x y z  =|w^b=1", "x".repeat(252));
        assert_eq!(text, expected);
    }

    #[test]
    fn no_line_is_longer_than_allowed() {
        let fields = ["v", "p", "1", "e"].map(str::to_owned);
        for most in 21..80 {
            let mut record = Writer::default();
            record.raw("before");
            let mut line = Line::begin(&mut record, &fields, Delimiter('\t'), most);
            line.attribute("first", &"é".repeat(10), 100);
            line.attribute("second", &"y".repeat(100), 100);
            assert!(record.len() <= "before".len() + most, "{most}");
        }
    }

    #[test]
    fn a_document_keeps_its_meaning_beside_any_delimiter() {
        let document = r#"{"a^":"^","b":-1.5e+3}"#;
        let escaped = Delimiter('^').escape_in_json(document);
        assert!(!escaped.contains('^'), "{escaped}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&escaped), read(document));
        assert_eq!(Delimiter('\t').escape_in_json(document), document);
    }
}

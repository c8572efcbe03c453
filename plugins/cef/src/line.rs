//! CEF's text rules: what is escaped where, and what a line has room for.
//!
//! In the header, backslashes and pipes are escaped and an equals sign is not; in the extension it is the other way
//! round. A newline is written as `\n` in a value and becomes a space in the header. Characters that some readers take
//! for the end of a line become spaces everywhere.

use siemaphore_sdk::Writer;
use siemaphore_sdk::text::cut_bytes;

/// A line being written: `key=value` pairs, each after a space, within a number of bytes.
pub(crate) struct Line<'a> {
    record: &'a mut Writer,
    /// Where the record has to end at the latest.
    end: usize,
    empty: bool,
}

const ELLIPSIS: &str = "…";

impl<'a> Line<'a> {
    /// Begins with the seven fields of the header.
    pub(crate) fn begin(record: &'a mut Writer, header: &[String; 6], most: usize) -> Line<'a> {
        let end = record.len() + most;
        record.raw("CEF:0");
        for field in header {
            record.raw("|");
            record.raw(field);
        }
        record.raw("|");
        Line { record, end, empty: true }
    }

    /// A pair whose value is at most so many bytes before it is escaped. Left out when it is empty or has no room.
    pub(crate) fn pair(&mut self, key: &str, value: &str, most: usize) {
        let value = cut_bytes(value.trim(), most);
        // The space and the equals sign.
        let room = self.room().saturating_sub(key.len() + 2);
        let escaped = escape_within(&value, room);
        // What a control character became may stand at an end, where readers lose it or take it for a separator.
        let escaped = escaped.trim_matches(' ');
        if escaped.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.empty, false) {
            self.record.raw(" ");
        }
        self.record.raw(key);
        self.record.raw("=");
        self.record.raw(escaped);
    }

    /// One of the numbered keys, with the label that says what it holds. Neither comes without the other.
    pub(crate) fn labelled(&mut self, key: &str, label: &str, value: &str, most: usize) {
        const LEAST_VALUE_BYTES: usize = 16;
        let label_key = format!("{key}Label");
        let needed = label_key.len() + label.len() + key.len() + " = =".len() + LEAST_VALUE_BYTES;
        let is_empty = value.chars().all(|character| plain(character).is_whitespace());
        if !is_empty && self.room() >= needed {
            self.pair(&label_key, label, label.len());
            self.pair(key, value, most);
        }
    }

    fn room(&self) -> usize {
        self.end.saturating_sub(self.record.len())
    }
}

/// A field of the header.
pub(crate) fn header(value: &str, most: usize) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in cut_bytes(value.trim(), most).chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '|' => escaped.push_str("\\|"),
            character => escaped.push(plain(character)),
        }
    }
    escaped
}

/// An extension's value in at most `most` bytes, escapes included and never cut in two.
fn escape_within(value: &str, most: usize) -> String {
    let mut escaped = String::with_capacity(value.len().min(most));
    // The last place after which an ellipsis has room.
    let mut last_place = 0;
    for character in value.chars() {
        if escaped.len() + ELLIPSIS.len() <= most {
            last_place = escaped.len();
        }
        match character {
            '\\' => escaped.push_str("\\\\"),
            '=' => escaped.push_str("\\="),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            character => escaped.push(plain(character)),
        }
        if escaped.len() > most {
            escaped.truncate(last_place);
            if most >= ELLIPSIS.len() {
                escaped.push_str(ELLIPSIS);
            }
            return escaped;
        }
    }
    escaped
}

fn plain(character: char) -> char {
    if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') { ' ' } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_extension_escape_differently() {
        let value = "a\\b|c=d\ne\rf\tg\u{2028}h";
        assert_eq!(header(value, 100), "a\\\\b\\|c=d e f g h");
        assert_eq!(escape_within(value, 100), "a\\\\b|c\\=d\\ne\\rf g h");
    }

    #[test]
    fn an_escape_is_never_cut_in_two() {
        let value = "a=b=c\\d=é";
        let whole = escape_within(value, 100);
        for most in 0..whole.len() {
            let cut = escape_within(value, most);
            assert!(cut.len() <= most, "{most}: {cut}");
            let backslashes = cut.trim_end_matches('…').chars().rev().take_while(|one| *one == '\\').count();
            assert_eq!(backslashes % 2, 0, "{most}: {cut}");
            assert_eq!(cut.ends_with('…'), most >= ELLIPSIS.len(), "{most}: {cut}");
        }
        assert_eq!(escape_within(value, whole.len()), whole);
    }

    #[test]
    fn a_label_and_its_value_come_together_or_not_at_all() {
        for most in 30..120 {
            let mut record = Writer::default();
            let fields = ["", "", "", "", "", ""].map(str::to_owned);
            let mut line = Line::begin(&mut record, &fields, most);
            line.labelled("cs1", "policy", &"x=".repeat(50), 4_000);
            let text = String::from_utf8(record.into_bytes()).unwrap();
            assert!(text.len() <= most, "{most}: {text}");
            assert_eq!(text.contains("cs1Label=policy"), text.contains(" cs1="), "{most}: {text}");
        }
    }
}

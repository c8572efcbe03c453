//! Values that are too long for a SIEM, cut here, because what the SIEM itself cuts it cuts without a word.

use std::borrow::Cow;

use super::{Writer, scan};

const MARK: &str = "… [truncated]";

/// `value` when it is at most `limit` bytes long, else a text with the beginning of it that ends in `… [truncated]`.
///
/// What is returned is JSON, and at most as long as `limit` and the mark with the quotes.
pub fn cut(value: &str, limit: usize) -> Cow<'_, str> {
    if value.len() <= limit {
        return Cow::Borrowed(value);
    }
    let text = scan::text(value).unwrap_or(Cow::Borrowed(value));
    // Quoting can make a text longer: what will be written counts, not what was read.
    let mut length = text.len().min(limit);
    loop {
        let kept = text.get(..text.floor_char_boundary(length)).unwrap_or_default();
        let mut quoted = Writer::default();
        quoted.string(&format!("{kept}{MARK}"));
        if quoted.len() <= limit + MARK.len() + 2 {
            return Cow::Owned(String::from_utf8(quoted.into_bytes()).unwrap_or_default());
        }
        length = length * 7 / 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_as_it_is() {
        for value in ["\"abc\"", "12345", "[1,2]", "null"] {
            assert_eq!(cut(value, 5), value);
        }
    }

    #[test]
    fn what_does_not_fit_becomes_a_text_with_its_beginning_and_says_so() {
        assert_eq!(cut("\"abcdefgh\"", 4), "\"abcd… [truncated]\"");
        assert_eq!(cut("\"éééé\"", 5), "\"éé… [truncated]\"");
        assert_eq!(cut(r#"{"a":1,"b":2}"#, 6), r#""{\"a\"… [truncated]""#);
    }

    #[test]
    fn a_text_that_grows_by_quoting_is_cut_by_what_is_written() {
        let value = format!("\"{}\"", "\\u0001".repeat(1_000));
        let written = cut(&value, 100);
        assert!(written.len() <= 100 + MARK.len() + 2, "{}", written.len());
        assert!(serde_json::from_str::<String>(&written).unwrap().starts_with('\u{1}'));
    }
}

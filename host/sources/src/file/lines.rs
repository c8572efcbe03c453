//! Cutting what was read of a file into lines.
//!
//! The last line counts once its end is there. Without one it counts as soon as it is a whole JSON object: nothing that
//! could follow would be a part of it. So nobody has to wait to see whether a writer goes on.

use std::ops::Range;

use serde::de::IgnoredAny;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whole lines, without their ends and without those that are blank.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) places: Vec<Range<usize>>,
    /// So much of the text is done with.
    pub(crate) taken: usize,
}

/// The lines of `text`, at most so many. It begins where a line does; `is_start` says that this is the file's own.
pub(crate) fn cut(text: &[u8], is_start: bool, most: usize) -> Lines {
    let mut lines = Lines::default();
    if is_start && text.starts_with(BYTE_ORDER_MARK) {
        lines.taken = BYTE_ORDER_MARK.len();
    }
    while lines.places.len() < most {
        let rest = text.get(lines.taken..).unwrap_or_default();
        let (length, ended) = match memchr::memchr(b'\n', rest) {
            Some(newline) => (newline, true),
            None => (rest.len(), false),
        };
        let place = trimmed(text, lines.taken..lines.taken + length);
        if !ended && !is_whole(text.get(place.clone()).unwrap_or_default()) {
            break;
        }
        lines.taken += length + usize::from(ended);
        if !place.is_empty() {
            lines.places.push(place);
        }
    }
    lines
}

/// Without white space, and without the zeros that a writer leaves which does not know of a truncation.
fn trimmed(text: &[u8], line: Range<usize>) -> Range<usize> {
    let bytes = text.get(line.clone()).unwrap_or_default();
    let is_blank = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
    let before = bytes.iter().take_while(|byte| is_blank(byte)).count();
    let after = bytes.iter().skip(before).rev().take_while(|byte| is_blank(byte)).count();
    line.start + before..line.end - after
}

fn is_whole(line: &[u8]) -> bool {
    let looks_whole = line.first() == Some(&b'{') && line.last() == Some(&b'}');
    looks_whole && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, is_start: bool, expected: &[&str], left: &str) {
        let lines = cut(text.as_bytes(), is_start, 100);
        let found: Vec<&str> = lines.places.iter().map(|place| &text[place.clone()]).collect();
        assert_eq!(found, expected, "{text:?}");
        assert_eq!(&text[lines.taken..], left, "{text:?}");
    }

    #[test]
    fn lines_end_with_a_newline_or_with_a_whole_object() {
        check("", true, &[], "");
        check("{}\n{\"a\":1}\r\n\n \t\r\n", false, &["{}", "{\"a\":1}"], "");
        check("{}\n{\"a\"", false, &["{}"], "{\"a\"");
        check("{}\n{\"a\":1}", false, &["{}", "{\"a\":1}"], "");
        check("{}\n{\"a\":{}", false, &["{}"], "{\"a\":{}");
        check("oops\nmore", false, &["oops"], "more");
        check("12", false, &[], "12");
        check("\0\0\0{}\n", false, &["{}"], "");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        check("\u{feff}{}\n", true, &["{}"], "");
        check("\u{feff}{}\n", false, &["\u{feff}{}"], "");
    }

    #[test]
    fn no_more_lines_are_cut_than_are_wanted() {
        let lines = cut(b"1\n2\n3\n", false, 2);
        assert_eq!((lines.places.len(), lines.taken), (2, 4));
    }
}

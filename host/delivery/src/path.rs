//! The path of a request: the rules for what a formatter may ask for, and its encoded form.
//!
//! A path must not escape the endpoint's own path, however a server or proxy reads it. So what could be read in two
//! ways is refused when it is written by a formatter, and replaced when it comes from an event: percent signs (some
//! decode twice), semicolons (some cut parameters off a segment, which makes `..;x` a `..`), and characters that
//! become slashes or dots when text is normalised.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

use crate::group::{Group, Piece, pieces};

/// What stands in a path as it is: RFC 3986's `pchar` without the percent sign.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// What Unicode has beside `/` and `\`, compatible or looking alike.
const SLASHES: [char; 8] =
    ['\u{2044}', '\u{2215}', '\u{2216}', '\u{29f5}', '\u{29f8}', '\u{fe68}', '\u{ff0f}', '\u{ff3c}'];
/// What Unicode has beside the full stop.
const DOTS: [char; 5] = ['\u{2024}', '\u{2025}', '\u{2026}', '\u{fe52}', '\u{ff0e}'];

/// The longest path of a profile.
const MAX_PATH_BYTES: usize = 2048;

/// A path that is not granted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathError {
    #[error("the path `{0}` does not begin with a slash")]
    NotAbsolute(String),
    #[error("the path `{0}` has an empty segment or one of dots")]
    Segment(String),
    #[error("the path `{0}` holds an encoded slash, backslash or dot")]
    Encoded(String),
    #[error("the path `{path}` holds the character {character:?}")]
    Character { path: String, character: char },
    #[error("the path `{path}` holds `{{{name}}}`, which is not a placeholder")]
    Placeholder { path: String, name: String },
    #[error("the path is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
}

/// Checks a path as a formatter wrote it.
pub(crate) fn check(path: &str) -> Result<(), PathError> {
    let shown = || path.to_owned();
    if path.len() > MAX_PATH_BYTES {
        return Err(PathError::TooLong);
    }
    let below = path.strip_prefix('/').ok_or_else(|| PathError::NotAbsolute(shown()))?;
    if let Some(character) = path.chars().find(|c| c.is_control() || is_ambiguous(*c)) {
        return Err(PathError::Character { path: shown(), character });
    }
    let lowercase = path.to_ascii_lowercase();
    if ["%2f", "%5c", "%2e", "%25"].iter().any(|encoded| lowercase.contains(encoded)) {
        return Err(PathError::Encoded(shown()));
    }
    if !below.is_empty() && below.split('/').any(is_nothing_but_dots) {
        return Err(PathError::Segment(shown()));
    }
    pieces(path).map(drop).map_err(|name| PathError::Placeholder { path: shown(), name: name.to_owned() })
}

/// The encoded segments of a checked path, for the events of `group`.
pub(crate) fn segments(path: &str, group: &Group) -> Vec<String> {
    raw_segments(path).map(|segment| filled(segment, group)).collect()
}

/// The segments of a path, as they were written. None for `/`.
pub(crate) fn raw_segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

fn filled(segment: &str, group: &Group) -> String {
    let filled: String = pieces(segment)
        .unwrap_or_default()
        .into_iter()
        .map(|piece| match piece {
            Piece::Literal(literal) => literal.to_owned(),
            // An event's value stays within its segment.
            Piece::Placeholder(placeholder) => group.value(placeholder).replace(is_ambiguous_in_a_value, "-"),
        })
        .collect();
    if is_nothing_but_dots(&filled) { "-".repeat(filled.len().max(1)) } else { encode(&filled) }
}

/// Whether a secret can stand in a path as one segment that everybody reads alike.
pub(crate) fn is_plain_segment(segment: &str) -> bool {
    let is_refused = |character: char| character.is_whitespace() || is_ambiguous_in_a_value(character);
    !is_nothing_but_dots(segment) && !segment.chars().any(is_refused)
}

/// Characters that end a segment or a path, for somebody.
fn is_ambiguous(character: char) -> bool {
    matches!(character, '?' | '#' | '\\') || SLASHES.contains(&character) || DOTS.contains(&character)
}

/// A formatter's author has reasons for a percent sign or a semicolon; an event has none.
fn is_ambiguous_in_a_value(character: char) -> bool {
    is_ambiguous(character) || character.is_control() || matches!(character, '/' | '%' | ';')
}

/// Empty, or a way up once parameters and white space are cut off, as some servers do.
fn is_nothing_but_dots(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or_default();
    name.trim().chars().all(|character| character == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_plain_and_has_whole_segments() {
        for path in [
            "/",
            "/services/collector/event",
            "/dataCollectionRules/dcr-0123/streams/Custom-AI Events",
            "/{organization}/x-{project}/{producer}",
            "/100%/ok",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
        for path in [
            "",
            "services",
            "//",
            "//evil.example.com/x",
            "/a//b",
            "/a/",
            "/a/./b",
            "/..",
            "/a/../b",
            "/a?b=c",
            "/a#b",
            "/a\\b",
            "/a\nb",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/%2e%2e/b",
            "/a%252fb",
            "/a/..;/b",
            "/a/..;x=y/b",
            "/a/ ../b",
            "/a/.../b",
            "/a/;/b",
            "/a\u{ff0f}b",
            "/a\u{2215}b",
            "/\u{ff0e}\u{ff0e}/b",
            "/\u{2025}/b",
            "/a\0b",
            "/{tenant}",
            "/{",
            "/a}",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
        assert_eq!(check(&format!("/{}", "a".repeat(MAX_PATH_BYTES))), Err(PathError::TooLong));
    }

    #[test]
    fn segments_are_encoded() {
        let group = Group { organization: "acme".into(), project: None, producer: "aisg".into() };
        assert_eq!(segments("/a b/ü/100%/x;y", &group), ["a%20b", "%C3%BC", "100%25", "x;y"]);
        assert!(segments("/", &group).is_empty());
    }

    #[test]
    fn a_value_of_an_event_cannot_leave_its_segment() {
        for (value, segment) in [
            ("chat", "chat"),
            ("..", "--"),
            (".", "-"),
            ("", "-"),
            ("../../admin", "..-..-admin"),
            ("a\\b", "a-b"),
            ("a?b#c", "a-b-c"),
            ("%2e%2e", "-2e-2e"),
            ("%2f", "-2f"),
            ("a\r\nb", "a--b"),
            ("a\0b", "a-b"),
            ("..;/admin", "..--admin"),
            (" .. ", "----"),
            ("\u{ff0e}\u{ff0e}\u{ff0f}x", "---x"),
            ("user@host:1", "user@host:1"),
        ] {
            let group = Group { organization: value.into(), project: None, producer: String::new() };
            assert_eq!(segments("/{organization}", &group), [segment], "{value}");
        }
    }

    #[test]
    fn dots_around_a_value_make_no_dot_segment() {
        let group = Group { organization: ".".into(), project: None, producer: String::new() };
        assert_eq!(segments("/.{organization}/x", &group), ["--", "x"]);
    }
}

//! Texts cut to what a SIEM takes, with an ellipsis to show it.

use std::borrow::Cow;

const ELLIPSIS: &str = "…";

/// At most so many bytes, and never half a character.
pub fn cut_bytes(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let Some(room) = most.checked_sub(ELLIPSIS.len()) else { return Cow::Borrowed("") };
    let kept = text.get(..text.floor_char_boundary(room)).unwrap_or_default();
    Cow::Owned(format!("{kept}{ELLIPSIS}"))
}

/// At most so many characters.
pub fn cut_characters(text: &str, most: usize) -> Cow<'_, str> {
    if text.chars().nth(most).is_none() {
        return Cow::Borrowed(text);
    }
    let Some(room) = most.checked_sub(1) else { return Cow::Borrowed("") };
    let kept: String = text.chars().take(room).collect();
    Cow::Owned(format!("{kept}{ELLIPSIS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_left_alone_and_what_does_not_ends_with_an_ellipsis() {
        assert_eq!((cut_bytes("abcd", 4), cut_characters("éàüö", 4)), ("abcd".into(), "éàüö".into()));
        assert_eq!((cut_bytes("abcde", 4), cut_characters("éàüöx", 4)), ("a…".into(), "éàü…".into()));
    }

    #[test]
    fn no_limit_is_exceeded_and_no_character_halved() {
        let text = "aé€😀".repeat(3);
        for most in 0..text.len() {
            assert!(cut_bytes(&text, most).len() <= most, "{most}");
            assert!(cut_characters(&text, most).chars().count() <= most, "{most}");
        }
    }
}

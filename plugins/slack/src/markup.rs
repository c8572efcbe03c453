//! Texts of events within Slack's markup.
//!
//! Slack reads `<!channel>`, `<@U1>` and `<https://…|words>` in any text, and asks that `&`, `<` and `>` be written as
//! entities where they mean themselves. What comes from an event goes through here, so that it can neither call
//! somebody nor pass for a link.

const ELLIPSIS: char = '…';

/// The text with entities, on one line, at most so many characters long. It is cut before an entity, never within one.
pub(crate) fn escaped(text: &str, longest: usize) -> String {
    within(text.chars().map(|character| if character.is_control() { ' ' } else { character }), longest)
}

/// JSON for between the marks of a block of code. A backtick would end the block; in JSON it has another way of being
/// written, because it can only be part of a text.
pub(crate) fn code(json: &str, longest: usize) -> String {
    within(json.replace('`', "\\u0060").chars(), longest)
}

fn within(characters: impl Iterator<Item = char>, longest: usize) -> String {
    let mut text = String::new();
    let mut length = 0;
    // Up to where the text could be cut and still be followed by an ellipsis.
    let mut fits = 0;
    for character in characters {
        let entity = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "",
        };
        length += if entity.is_empty() { 1 } else { entity.len() };
        if length > longest {
            text.truncate(fits);
            text.push(ELLIPSIS);
            return text;
        }
        if entity.is_empty() {
            text.push(character)
        } else {
            text.push_str(entity)
        }
        if length < longest {
            fits = text.len();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escaped("<!channel> & <@U1>", 100), "&lt;!channel&gt; &amp; &lt;@U1&gt;");
        assert_eq!(escaped("&lt;!here&gt;", 100), "&amp;lt;!here&amp;gt;", "entities mean themselves too");
        assert_eq!(escaped("a\nb\u{7}c", 100), "a b c");
        assert_eq!(code(r#"{"a":"```<!here>"}"#, 100), r#"{"a":"\u0060\u0060\u0060&lt;!here&gt;"}"#);
    }

    #[test]
    fn what_is_cut_ends_with_an_ellipsis_and_halves_no_entity() {
        assert_eq!((escaped("abcd", 4), escaped("abcde", 4)), ("abcd".into(), "abc…".into()));
        assert_eq!((escaped("ab&", 7), escaped("ab&", 6)), ("ab&amp;".into(), "ab…".into()));
        assert_eq!(
            (escaped("&&", 6), escaped("é", 1), escaped("éé", 1)),
            ("&amp;…".into(), "é".into(), "…".into())
        );
        for longest in 1..40 {
            let text = escaped("<é>&".repeat(10).as_str(), longest);
            assert!(text.chars().count() <= longest, "{longest}: {text}");
            assert_eq!(text.matches('&').count(), text.matches(';').count(), "{text}");
        }
    }
}

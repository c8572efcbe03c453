//! Texts that a plugin made are hostile: they end up in terminals, logs and pages.

use crate::limits::MAX_TEXT_BYTES;

/// One line of at most 1 KiB: terminal escapes and control characters removed, line breaks and tabs made spaces.
pub(crate) fn clean_line(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(MAX_TEXT_BYTES));
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let kept = match character {
            '\u{1b}' | '\u{9b}' | '\u{9d}' => {
                skip_escape(character, &mut characters);
                continue;
            }
            '\n' | '\r' | '\t' => ' ',
            other if is_hidden(other) => continue,
            other => other,
        };
        if cleaned.len() + kept.len_utf8() > MAX_TEXT_BYTES {
            break;
        }
        cleaned.push(kept);
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

/// JSON keeps its line breaks and loses everything else that is not printed. Its length is checked elsewhere.
pub(crate) fn clean_json(text: &str) -> String {
    text.chars().filter(|&character| matches!(character, '\n' | '\t') || !is_hidden(character)).collect()
}

/// Control characters, and those that turn the direction of writing: both make a text look like another.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Skips the rest of an escape sequence: `ESC [ … letter` and `ESC ] … BEL` have a body, all others one character.
fn skip_escape(start: char, characters: &mut std::str::Chars<'_>) {
    let kind = match start {
        '\u{9b}' => Some('['),
        '\u{9d}' => Some(']'),
        _ => characters.next(),
    };
    match kind {
        Some('[') => {
            characters.find(|character| matches!(character, '\u{40}'..='\u{7e}'));
        }
        Some(']' | 'P' | '_' | '^' | 'X') => {
            characters.find(|character| matches!(character, '\u{7}' | '\u{9c}' | '\\'));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_removed() {
        for (text, expected) in [
            ("plain", "plain"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("\u{9b}2Jcleared", "cleared"),
            ("two\nlines\r\n", "two lines"),
            ("nul\0bell\u{7}", "nulbell"),
            ("\u{202e}txt.exe", "txt.exe"),
            ("größer", "größer"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
        ] {
            assert_eq!(clean_line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let cleaned = clean_line(&"ä".repeat(2_000));
        assert_eq!(cleaned.len(), MAX_TEXT_BYTES);
        assert_eq!(clean_line(&format!("x{}", "ä".repeat(2_000))).len(), MAX_TEXT_BYTES - 1);
    }
}

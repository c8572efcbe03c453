//! Reads every answer as a reason to hold, in words that would colour a terminal, set its title and run a script.

use super::{Guest, words};

pub(crate) const REASON: &str = "\u{1b}[31mfull\u{1b}[0m\u{7}\nagain";
pub(crate) const HINT: &str = "\u{1b}]0;owned\u{7}<script>alert(1)</script>\u{202e}txt.exe";

pub(crate) fn component() -> Vec<u8> {
    let escaped = |text: &str| text.bytes().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    // 8192: the verdict `hold`, then address and length of its reason and of its hint.
    let refusal = words(&[700, REASON.len(), 800, HINT.len()]);
    Guest::honest()
        .extra(&format!(
            "(data (i32.const 700) \"{}\") (data (i32.const 800) \"{}\")
             (data (i32.const 8192) \"\\05\") (data (i32.const 8200) \"{refusal}\")",
            escaped(REASON),
            escaped(HINT)
        ))
        .component()
}

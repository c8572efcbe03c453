//! Its title is an escape sequence and a bell around one word.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .extra(
            "(data (i32.const 700) \"\\1b[31mred\\07\\0a!\")
             (data (i32.const 1048) \"\\bc\\02\\00\\00\\0b\\00\\00\\00\")",
        )
        .component()
}

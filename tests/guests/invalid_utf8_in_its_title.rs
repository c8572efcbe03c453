//! Describes itself with a title that is no text.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest().extra("(data (i32.const 522) \"T\\ff\\fe\")").component()
}

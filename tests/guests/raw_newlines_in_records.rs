//! Puts a line break into a record where line breaks separate records: one event would become two.

use super::{lying, records};

pub(crate) fn component() -> Vec<u8> {
    // The framing of the profile is the byte at 2108, and 1 is `newline`.
    lying(&records(b"1\n23", &[2, 3, 4])).extra("(data (i32.const 2108) \"\\01\")").component()
}

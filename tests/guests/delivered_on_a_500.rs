//! Formats well, and says of every answer that all records have arrived.

use super::handmade::Handmade;

pub(crate) fn component() -> Vec<u8> {
    // 8192: the verdict. 1 is `delivered`, and zeros after it are no note.
    Handmade::saying("trust me").extra("(data (i32.const 8192) \"\\01\")").component()
}

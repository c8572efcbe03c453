//! Its second record ends before it begins: read carelessly, it has a length of almost 2^64.

use super::{lying, records};

pub(crate) fn component() -> Vec<u8> {
    lying(&records(b"abc", &[2, 1, 3])).component()
}

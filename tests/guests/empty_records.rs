//! Leaves an event out without a word: its record is empty, and no rejection says why.

use super::{lying, records};

pub(crate) fn component() -> Vec<u8> {
    lying(&records(b"ab", &[1, 1, 2])).component()
}

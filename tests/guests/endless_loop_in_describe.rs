//! Never says what it is.

use super::{ENDLESS, Guest};

pub(crate) fn component() -> Vec<u8> {
    Guest::honest().describe(ENDLESS).component()
}

//! Formats well and never comes back from reading an answer.

use super::{ENDLESS, Guest};

pub(crate) fn component() -> Vec<u8> {
    Guest::honest().interpret(ENDLESS).component()
}

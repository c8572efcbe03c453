//! Describes itself well and never comes back from `configure`.

use super::{ENDLESS, Guest};

pub(crate) fn component() -> Vec<u8> {
    Guest::honest().configure(ENDLESS).component()
}

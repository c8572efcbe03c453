//! Never comes back from `format`.

use super::{ENDLESS, Guest};

pub(crate) fn component() -> Vec<u8> {
    Guest::honest().format(ENDLESS).component()
}

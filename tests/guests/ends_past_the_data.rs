//! Its last record ends behind the data.

use super::{lying, records};

pub(crate) fn component() -> Vec<u8> {
    lying(&records(b"abc", &[1, 2, 4_000])).component()
}

//! Returns two records for three events.

use super::{lying, records};

pub(crate) fn component() -> Vec<u8> {
    lying(&records(b"ab", &[1, 2])).component()
}

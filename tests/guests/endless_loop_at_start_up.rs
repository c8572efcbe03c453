//! Its start function never ends, so there is never an instance.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest().extra("(func $start (loop $l (br $l))) (start $start)").component()
}

//! Grows its memory for as long as it is allowed to.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest().format("(loop $l (drop (memory.grow (i32.const 1))) (br $l)) (unreachable)").component()
}

//! Calls `exit` with success in the middle of a batch.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .import("wasi:cli/exit", "exit", "(func $exit (param i32))")
        .format("(call $exit (i32.const 0)) (unreachable)")
        .component()
}

//! Takes standard output again and again and never gives it back. Each handle costs the host memory.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .import("wasi:cli/stdout", "get-stdout", "(func $get-stdout (result i32))")
        .format("(loop $l (drop (call $get-stdout)) (br $l)) (unreachable)")
        .component()
}

//! Waits for a timer that is an hour away before it formats.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .import("wasi:clocks/monotonic-clock", "subscribe-duration", "(func $sleep (param i64) (result i32))")
        .import("wasi:io/poll", "[method]pollable.block", "(func $block (param i32))")
        .format("(call $block (call $sleep (i64.const 3600000000000))) (i32.const 4096)")
        .component()
}

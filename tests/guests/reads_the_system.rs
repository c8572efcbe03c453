//! Puts everything that it can learn of the system into its one record: clocks, a random number, and how many
//! variables, arguments and folders there are.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .import("wasi:clocks/wall-clock", "now", "(func $wall (param i32))")
        .import("wasi:clocks/monotonic-clock", "now", "(func $monotonic (result i64))")
        .import("wasi:random/random", "get-random-u64", "(func $random (result i64))")
        .import("wasi:cli/environment", "get-environment", "(func $environment (param i32))")
        .import("wasi:cli/environment", "get-arguments", "(func $arguments (param i32))")
        .import("wasi:filesystem/preopens", "get-directories", "(func $folders (param i32))")
        .format(
            "(call $wall (i32.const 0x10000))
             (i64.store (i32.const 0x10010) (call $monotonic))
             (i64.store (i32.const 0x10018) (call $random))
             (call $environment (i32.const 0x10020))
             (call $arguments (i32.const 0x10028))
             (call $folders (i32.const 0x10030))
             (i32.store (i32.const 0x20000) (i32.const 56))
             (i32.store (i32.const 4100) (i32.const 0x10000)) (i32.store (i32.const 4104) (i32.const 56))
             (i32.store (i32.const 4108) (i32.const 0x20000)) (i32.store (i32.const 4112) (i32.const 1))
             (i32.const 4096)",
        )
        .component()
}

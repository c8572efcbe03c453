//! Calls itself until there is no stack left.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .extra("(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))")
        .format("(call $deep (i32.const 0))")
        .component()
}

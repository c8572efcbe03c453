//! Calls itself for ever without a loop and without using stack.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .extra("(func $again (result i32) (return_call $again))")
        .format("(call $again)")
        .component()
}

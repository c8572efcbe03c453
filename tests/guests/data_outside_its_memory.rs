//! Says that its records lie behind the end of its memory, where another guest's may be.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .format(
            "(i32.store (i32.const 4100) (i32.const -16)) (i32.store (i32.const 4104) (i32.const 64))
             (i32.const 4096)",
        )
        .component()
}

//! Returns more bytes of records than it may. They are there: its memory holds them.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .format(
            "(i32.store (i32.const 4100) (i32.const 0)) (i32.store (i32.const 4104) (i32.const 200000))
             (i32.const 4096)",
        )
        .component()
}

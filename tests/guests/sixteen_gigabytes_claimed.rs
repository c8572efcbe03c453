//! Returns a list of 2^32 - 1 `ends`, 16 GiB, without having them.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .format(
            "(i32.store (i32.const 4108) (i32.const 0)) (i32.store (i32.const 4112) (i32.const -1))
             (i32.const 4096)",
        )
        .component()
}

//! Returns a quarter of a million `ends`, a megabyte, for ten events.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .memory("(memory (export \"memory\") 60)")
        .format(
            "(i32.store (i32.const 4108) (i32.const 0)) (i32.store (i32.const 4112) (i32.const 250000))
             (i32.const 4096)",
        )
        .component()
}

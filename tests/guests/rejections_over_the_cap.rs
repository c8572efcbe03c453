//! Returns a quarter of a million rejections for ten events. Each would be a text of its own in the host.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .memory("(memory (export \"memory\") 60)")
        .format(
            "(i32.store (i32.const 4116) (i32.const 0)) (i32.store (i32.const 4120) (i32.const 250000))
             (i32.const 4096)",
        )
        .component()
}

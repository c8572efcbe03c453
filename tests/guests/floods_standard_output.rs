//! Writes a thousand times 4,000 bytes and then formats as if nothing were.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .printing()
        .format(
            "(loop $l
               (call $print (i32.const 0x10000) (i32.const 4000))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $l (i32.lt_u (local.get $i) (i32.const 1000))))
             (i32.const 4096)",
        )
        .component()
}

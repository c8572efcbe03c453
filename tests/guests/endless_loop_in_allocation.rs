//! Never finds room for what the host hands over: it loops before its `format` has begun. Settings of two bytes still
//! get their room, so that it can be configured.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .allocate(
            "(loop $l (br_if $l (i32.gt_u (local.get $size) (i32.const 64))))
             (i32.const 0x30000)",
        )
        .component()
}

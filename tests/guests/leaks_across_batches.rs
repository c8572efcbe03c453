//! Remembers: each record is made of what it finds in a variable, in the memory that it began with and in a page that it
//! had to ask for; then it leaves a mark in all three.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .extra("(global $mark (mut i32) (i32.const 0)) (memory $further 0)")
        .format(
            "(if (i32.eqz (memory.size $further)) (then (drop (memory.grow $further (i32.const 1)))))
             (i32.store8 (i32.const 0x10000) (i32.add (i32.const 97) (global.get $mark)))
             (i32.store8 (i32.const 0x10001) (i32.add (i32.const 97) (i32.load8_u (i32.const 0x2fff0))))
             (i32.store8 (i32.const 0x10002)
               (i32.add (i32.const 97) (i32.load8_u $further (i32.const 0x8000))))
             (global.set $mark (i32.const 1))
             (i32.store8 (i32.const 0x2fff0) (i32.const 1))
             (i32.store8 $further (i32.const 0x8000) (i32.const 1))
             (i32.store (i32.const 0x20000) (i32.const 3))
             (i32.store (i32.const 4100) (i32.const 0x10000)) (i32.store (i32.const 4104) (i32.const 3))
             (i32.store (i32.const 4108) (i32.const 0x20000)) (i32.store (i32.const 4112) (i32.const 1))
             (i32.const 4096)",
        )
        .component()
}

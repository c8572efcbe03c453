//! Grows four memories, each of which stays below a limit of 4 MiB by itself.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest()
        .extra("(memory $b 1) (memory $c 1) (memory $d 1)")
        .format(
            "(drop (memory.grow $b (i32.const 30))) (drop (memory.grow $c (i32.const 30)))
             (drop (memory.grow $d (i32.const 30))) (i32.const 4096)",
        )
        .component()
}

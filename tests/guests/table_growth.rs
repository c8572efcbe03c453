//! Grows tables instead of memory: eight of 100,000 entries, of eight bytes each in the host.

use super::Guest;

const TABLES: usize = 8;

pub(crate) fn component() -> Vec<u8> {
    let tables: String = (0..TABLES).map(|number| format!("(table $t{number} 1 funcref)")).collect();
    let growth: String = (0..TABLES)
        .map(|number| format!("(drop (table.grow $t{number} (ref.null func) (i32.const 100000)))"))
        .collect();
    Guest::honest().extra(&tables).format(&format!("{growth} (i32.const 4096)")).component()
}

//! A file of some kilobytes that takes the compiler minutes and gigabytes: many variables, all changed within loops that
//! lie within each other, so that the compiler has to follow each variable into each loop.

use super::Guest;

const LOOPS: usize = 2_000;
const VARIABLES: usize = 2_000;

pub(crate) fn component() -> Vec<u8> {
    let changes: String = (0..VARIABLES)
        .map(|variable| format!("local.get {variable} i32.const 1 i32.add local.set {variable}\n"))
        .collect();
    let (opened, closed) = ("loop\n".repeat(LOOPS), "local.get 0 br_if 0 end\n".repeat(LOOPS));
    Guest::honest()
        .extra(&format!("(func $bomb (local {}) {opened} {changes} {closed})", "i32 ".repeat(VARIABLES)))
        .component()
}

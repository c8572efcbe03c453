//! A well-formed component for another world: a command.

use super::text;

pub(crate) fn component() -> Vec<u8> {
    text("(component (instance) (export \"wasi:cli/run@0.2.0\" (instance 0)))")
}

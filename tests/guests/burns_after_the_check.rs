//! Behaves on every event of a check, and uses up the CPU limit on every batch, and on every part of one, that holds an
//! event of a type that no check has.

use super::UNCHECKED_TYPE;
use super::handmade::{Field, Handmade};

pub(crate) fn component() -> Vec<u8> {
    Handmade::saying("checked").loops_on(Field::EventType, UNCHECKED_TYPE).component()
}

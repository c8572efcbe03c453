//! Behaves on every event of a check and traps on those of a type that no check has.

use super::UNCHECKED_TYPE;
use super::handmade::{Field, Handmade};

pub(crate) const LAST_WORDS: &str = "this was not in the check";

pub(crate) fn component() -> Vec<u8> {
    Handmade::saying("checked").traps_on(Field::EventType, UNCHECKED_TYPE, LAST_WORDS).component()
}

//! Behaves on every event of a check and rejects those of a type that no check has.

use super::UNCHECKED_TYPE;
use super::handmade::{Field, Handmade};

pub(crate) const REASON: &str = "this was not in the check";

pub(crate) fn component() -> Vec<u8> {
    Handmade::saying("checked").rejects(Field::EventType, UNCHECKED_TYPE, REASON).component()
}

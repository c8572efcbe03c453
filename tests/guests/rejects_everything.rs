//! Rejects every event politely, with a reason.

use super::handmade::{Field, Handmade};

pub(crate) const REASON: &str = "not to its taste";

pub(crate) fn component() -> Vec<u8> {
    Handmade::saying("never").rejects(Field::Key, "", REASON).component()
}

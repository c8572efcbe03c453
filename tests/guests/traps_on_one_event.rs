//! Formats everything but events whose identifier begins with [`POISON`]: those make it say why and trap.

use super::handmade::{Field, Handmade};

pub(crate) const POISON: &str = "poison";
pub(crate) const LAST_WORDS: &str = "no room for the poisoned one";

pub(crate) fn component() -> Vec<u8> {
    Handmade::saying("well").traps_on(Field::Id, POISON, LAST_WORDS).component()
}

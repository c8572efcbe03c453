//! Describes itself, takes every setting, and traps on every event, with a word to say.

use super::handmade::{Field, Handmade};

pub(crate) const LAST_WORDS: &str = "nothing is to its taste";

pub(crate) fn component() -> Vec<u8> {
    Handmade::saying("never").traps_on(Field::Key, "", LAST_WORDS).component()
}

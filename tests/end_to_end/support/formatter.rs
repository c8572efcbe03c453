//! Formatters of customers: the bundled ones under other names, and one that is made of nothing but the contract.

use sha2::{Digest, Sha256};

use crate::guests;
use crate::guests::handmade::{Field, Handmade};

/// The bytes of a bundled component.
pub(crate) fn bundled(name: &str) -> &'static [u8] {
    let mut all = siemaphore_bundle::formatters().iter();
    all.find(|one| one.name == name).expect("a bundled formatter").component
}

/// SHA-256 in hex, as plugins are told apart.
pub(crate) fn digest(component: &[u8]) -> String {
    Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same component with another digest: a custom section at the end says nothing and means nothing.
pub(crate) fn rebuilt(component: &[u8], note: &str) -> Vec<u8> {
    let name = b"note";
    let length = 1 + name.len() + note.len();
    let short = u8::try_from(length).ok().filter(|length| *length < 128).expect("a short note");
    [component, &[0, short, 4], name, note.as_bytes()].concat()
}

/// A customer's formatter that is made of nothing but the contract. Each record is
/// `{"message":"<words>","event_key":"<key>"}`.
pub(crate) fn handmade(words: &str) -> Vec<u8> {
    Handmade::saying(words).component()
}

/// As [`handmade`], but traps on an event whose id begins with `~`: no event of a check has one.
pub(crate) fn treacherous(words: &str) -> Vec<u8> {
    Handmade::saying(words).traps_on(Field::Id, "~", "").component()
}

/// Describes itself and takes every setting, and traps on the first event.
pub(crate) fn broken_on_events() -> Vec<u8> {
    guests::traps_on_everything::component()
}

//! A formatter without its last byte, as a copy that was cut off leaves it.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    let mut component = Guest::honest().component();
    component.pop();
    component
}

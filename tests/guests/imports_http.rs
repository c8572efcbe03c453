//! Wants to make requests of its own.

use super::importing;

pub(crate) const INTERFACE: &str = "wasi:http/outgoing-handler@0.2.3";

pub(crate) fn component() -> Vec<u8> {
    importing(INTERFACE)
}

//! Wants an interface that nobody here has heard of.

use super::importing;

pub(crate) const INTERFACE: &str = "acme:keys/vault@1.0.0";

pub(crate) fn component() -> Vec<u8> {
    importing(INTERFACE)
}

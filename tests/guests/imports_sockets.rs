//! Wants a TCP connection.

use super::importing;

pub(crate) const INTERFACE: &str = "wasi:sockets/tcp@0.2.0";

pub(crate) fn component() -> Vec<u8> {
    importing(INTERFACE)
}

//! Wants threads, which could race where a fresh instance could not.

use super::importing;

pub(crate) const INTERFACE: &str = "wasi:thread-spawn/threads@0.2.0";

pub(crate) fn component() -> Vec<u8> {
    importing(INTERFACE)
}

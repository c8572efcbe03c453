//! The laws against formatters that break them, formatters that keep them, and the page that tells of them.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../sandbox/tests/support/guest.rs"]
mod guest;

mod builtins;
mod lawbreakers;
mod page;
mod same_bytes;

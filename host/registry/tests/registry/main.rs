//! Plugin files and the versions that come of them.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../sandbox/tests/support/guest.rs"]
mod support;

mod bench;
mod folder;
mod restart;
mod signed;
mod versions;

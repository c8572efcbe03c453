//! What is fuzzed: each target is a function over bytes that panics when a promise of the host is broken.
//!
//! `cargo xtask fuzz` runs them under libFuzzer, with nightly; `tests/corpus.rs` runs them on the seeds in
//! `fuzz/corpus` and on mutations of these in every test run. Nothing here knows the WebAssembly engine, which would
//! take minutes to build with instrumentation: what checks a guest's return values needs none of it.
#![forbid(unsafe_code)]
#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a target reports by panicking"
)]

pub mod answer;
pub mod block;
pub mod cleaning;
pub mod configuration;
pub mod guest;
pub mod intake;
pub mod schema;

mod config;
mod words;

// The sandbox's own checks, which are pure: the crate around them is the engine.
#[allow(dead_code, reason = "the sandbox uses the rest")]
#[path = "../../../host/sandbox/src/check.rs"]
mod check;
#[allow(dead_code, unreachable_pub, reason = "the sandbox uses and exports the rest")]
#[path = "../../../host/sandbox/src/limits.rs"]
mod limits;
#[allow(dead_code, reason = "the sandbox uses the rest")]
#[path = "../../../host/sandbox/src/text.rs"]
mod text;

/// A name, which is also that of the folder with its seeds, and what is run.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 7] = [
    ("intake", intake::run),
    ("configuration", configuration::run),
    ("block", block::run),
    ("guest", guest::run),
    ("answer", answer::run),
    ("cleaning", cleaning::run),
    ("schema", schema::run),
];

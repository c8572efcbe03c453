//! Write a Siemaphore formatter in Rust: plain code behind one trait, tested natively, shipped as a component.
//!
//! A formatter implements [`Formatter`] and is exported once with [`export!`]. [`Writer`] splices an event's document
//! into a record without parsing it; [`json::scan`] finds members of a document without building a tree;
//! [`testkit`] runs a formatter in `cargo test` and checks the laws of the contract.
//!
//! The contract itself, with its laws and limits, is `wit/v1/formatter.wit`. Its types are re-exported here by name,
//! so that a formatter names this crate only.

#![deny(unsafe_code)]

mod formatter;
mod profile;
mod rank;
mod verdict;

pub mod ecs;
pub mod facts;
pub mod json;
pub mod pending;
pub mod settings;
#[cfg(not(target_family = "wasm"))]
#[allow(clippy::panic, clippy::indexing_slicing, reason = "runs in tests only, where a broken law panics")]
pub mod testkit;
pub mod text;

#[allow(unsafe_code, reason = "generated: lifts and lowers the contract's types")]
pub mod bindings;
#[allow(unsafe_code, reason = "a global allocator is unsafe by its trait; the module says why it holds")]
pub mod bump;
#[allow(unsafe_code, reason = "the host allocates in the guest through a C function")]
pub mod export;

pub use bindings::exports::siemaphore::formatter::formatter::{
    AuthenticationHint, Compression, Enclosure, Event, Fate, Framing, Limits, Method, Note, Partial, Pending,
    Phase, Probe, Refusal, ReplayWindow, RequestProfile, Response, Retry, Run, SettingProblem, Severity,
    TooOld, Uncertain, Verdict,
};
pub use formatter::{Formatter, Product, Rejected};
pub use json::Writer;

/// The README's example, so that it keeps compiling and passing.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

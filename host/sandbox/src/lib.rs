//! Where a formatter runs: the only crate that knows WebAssembly and the bindings of the contract.
//!
//! - A component is untrusted. It gets a fresh instance for every batch, a virtual system that is empty and constant
//!   ([`wasi`]), and hard limits on memory, CPU, time, output and logs ([`limits`]).
//! - What it returns is checked before anyone else sees it ([`check`]); every text of its own is cleaned ([`text`]).
//! - Three kinds of trouble are never mixed: the guest said no (`Refused`), the guest broke ([`Fault`]), the host
//!   broke ([`HostError`]).
//! - No network, no clock and no secret can be reached from here: there is no dependency that has one. Files are the
//!   cache of machine code, and nothing else ([`CodeCache`]).
//!
//! Everything blocks. [`Sandbox::run`] brings the work to the formatting threads, so that a guest never holds up the
//! asynchronous runtime.
// Denied and not forbidden: `code` has the one exception.
#![deny(unsafe_code)]

mod abi;
mod check;
mod code;
mod engine;
mod error;
mod fault;
mod formatter;
mod fuel;
mod guest;
mod language;
pub mod limits;
mod log;
mod sandbox;
mod session;
mod slots;
mod text;
mod threads;
mod ticker;
mod turns;
mod verify;
mod wasi;

pub use code::{CodeCache, CodeSource, Compiler, compile_standard_input};
pub use error::{ConfigureError, FormatError, HostError, LoadError, SandboxError};
pub use fault::{Call, Fault, FaultKind, Limit};
pub use formatter::{Configuration, Figures, Formatted, Formatter};
pub use fuel::{CountError, Counted, Fuel};
pub use language::{Language, memory_advice, memory_at_start, memory_for};
pub use limits::{CompilerLimits, GuestLimits};
pub use sandbox::{Sandbox, SandboxConfig};
pub use session::Session;
pub use threads::SandboxClosed;
pub use verify::{Outside, check as verify, outside};

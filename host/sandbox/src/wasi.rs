//! A virtual WASI 0.2: what ordinary toolchains import, empty and constant.
//!
//! Nothing here reads the machine. There are no folders, no arguments, no variables and no network; clocks stand
//! still, randomness has one seed, every timer is ready at once, and what is written goes to the log. So a formatter
//! cannot tell one run from another, which its laws (same events, same bytes) require. One file for each package;
//! docs/decisions/0001-own-virtual-wasi.md has the reasons.
//!
//! The engine treats versions as compatible within 0.2: a component built for any of them links to these.

mod cli;
mod clocks;
mod filesystem;
mod io;
pub(crate) mod random;

use wasmtime::Result;
use wasmtime::component::Linker;

use crate::guest::Guest;

/// What a formatter may import, each `interface@0.2.x`. `verify` refuses everything else by name.
pub(crate) const INTERFACES: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    io::add_to_linker(linker)?;
    cli::add_to_linker(linker)?;
    clocks::add_to_linker(linker)?;
    random::add_to_linker(linker)?;
    filesystem::add_to_linker(linker)
}

/// The highest version in use.
fn versioned(interface: &str) -> String {
    format!("{interface}@0.2.12")
}

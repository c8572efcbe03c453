//! `wasi:cli`: a process without arguments, variables, folder, input or terminal.

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};

use super::io::{InputStream, OutputStream, handle, resource};
use super::versioned;
use crate::guest::{Exited, Guest};

struct TerminalInput;
struct TerminalOutput;

type Context<'a> = StoreContextMut<'a, Guest>;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    environment(linker)?;
    exit(linker)?;
    streams(linker)?;
    terminals(linker)
}

fn environment(linker: &mut Linker<Guest>) -> Result<()> {
    let mut environment = linker.instance(&versioned("wasi:cli/environment"))?;
    environment
        .func_wrap("get-environment", |_: Context<'_>, (): ()| Ok((Vec::<(String, String)>::new(),)))?;
    environment.func_wrap("get-arguments", |_: Context<'_>, (): ()| Ok((Vec::<String>::new(),)))?;
    environment.func_wrap("initial-cwd", |_: Context<'_>, (): ()| Ok((None::<String>,)))
}

/// There is no process to end, so to exit is to break off the call.
fn exit(linker: &mut Linker<Guest>) -> Result<()> {
    let mut exit = linker.instance(&versioned("wasi:cli/exit"))?;
    exit.func_wrap("exit", |_: Context<'_>, (_,): (std::result::Result<(), ()>,)| -> Result<()> {
        Err(Exited.into())
    })?;
    exit.func_wrap("exit-with-code", |_: Context<'_>, (_,): (u8,)| -> Result<()> { Err(Exited.into()) })
}

fn streams(linker: &mut Linker<Guest>) -> Result<()> {
    linker
        .instance(&versioned("wasi:cli/stdin"))?
        .func_wrap("get-stdin", |_: Context<'_>, (): ()| Ok((handle::<InputStream>(),)))?;
    for name in ["stdout", "stderr"] {
        linker
            .instance(&versioned(&format!("wasi:cli/{name}")))?
            .func_wrap(&format!("get-{name}"), |_: Context<'_>, (): ()| Ok((handle::<OutputStream>(),)))?;
    }
    Ok(())
}

fn terminals(linker: &mut Linker<Guest>) -> Result<()> {
    resource::<TerminalInput>(
        &mut linker.instance(&versioned("wasi:cli/terminal-input"))?,
        "terminal-input",
    )?;
    resource::<TerminalOutput>(
        &mut linker.instance(&versioned("wasi:cli/terminal-output"))?,
        "terminal-output",
    )?;
    linker
        .instance(&versioned("wasi:cli/terminal-stdin"))?
        .func_wrap("get-terminal-stdin", |_: Context<'_>, (): ()| Ok((None::<Resource<TerminalInput>>,)))?;
    for name in ["stdout", "stderr"] {
        linker
            .instance(&versioned(&format!("wasi:cli/terminal-{name}")))?
            .func_wrap(&format!("get-terminal-{name}"), |_: Context<'_>, (): ()| {
                Ok((None::<Resource<TerminalOutput>>,))
            })?;
    }
    Ok(())
}

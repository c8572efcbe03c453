//! `wasi:io`: streams that lead to the log or nowhere, and timers that are always ready.
//!
//! No resource has a state of its own, so a handle is just a number and there is no table of them. How many a guest
//! holds at once is limited by the store.

use wasmtime::component::{
    ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType, WasmList,
};
use wasmtime::{AsContext, Result, StoreContextMut, bail};

use super::versioned;
use crate::guest::Guest;

pub(super) struct InputStream;
pub(super) struct OutputStream;
pub(super) struct Pollable;
struct IoError;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

type Streamed<T> = std::result::Result<T, StreamError>;
type Context<'a> = StoreContextMut<'a, Guest>;

/// How much one `write` may hold, as `check-write` tells it.
const WRITE_BYTES: u64 = 64 << 10;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    let mut error = linker.instance(&versioned("wasi:io/error"))?;
    resource::<IoError>(&mut error, "error")?;
    // No operation fails, so no guest has an error to ask about.
    error.func_wrap("[method]error.to-debug-string", |_: Context<'_>, (_,): (Resource<IoError>,)| {
        Ok((String::new(),))
    })?;

    let mut poll = linker.instance(&versioned("wasi:io/poll"))?;
    resource::<Pollable>(&mut poll, "pollable")?;
    poll.func_wrap("[method]pollable.ready", |_: Context<'_>, (_,): (Resource<Pollable>,)| Ok((true,)))?;
    poll.func_wrap("[method]pollable.block", |_: Context<'_>, (_,): (Resource<Pollable>,)| Ok(()))?;
    poll.func_wrap("poll", |_: Context<'_>, (pollables,): (Vec<Resource<Pollable>>,)| {
        if pollables.is_empty() {
            bail!("poll of an empty list");
        }
        Ok(((0..u32::try_from(pollables.len())?).collect::<Vec<u32>>(),))
    })?;

    let mut streams = linker.instance(&versioned("wasi:io/streams"))?;
    input_stream(&mut streams)?;
    output_stream(&mut streams)
}

/// Declares a resource whose end needs nothing done.
pub(super) fn resource<T: 'static>(instance: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<()> {
    instance.resource(name, ResourceType::host::<T>(), |_, _| Ok(()))
}

pub(super) fn handle<T: 'static>() -> Resource<T> {
    Resource::new_own(0)
}

/// Standard input: at its end from the beginning.
fn input_stream(streams: &mut LinkerInstance<'_, Guest>) -> Result<()> {
    resource::<InputStream>(streams, "input-stream")?;
    for name in ["read", "blocking-read"] {
        streams.func_wrap(
            &format!("[method]input-stream.{name}"),
            |_: Context<'_>, (_, _): (Resource<InputStream>, u64)| Ok((closed::<Vec<u8>>(),)),
        )?;
    }
    for name in ["skip", "blocking-skip"] {
        streams.func_wrap(
            &format!("[method]input-stream.{name}"),
            |_: Context<'_>, (_, _): (Resource<InputStream>, u64)| Ok((closed::<u64>(),)),
        )?;
    }
    streams.func_wrap("[method]input-stream.subscribe", |_: Context<'_>, (_,): (Resource<InputStream>,)| {
        Ok((handle::<Pollable>(),))
    })
}

/// Standard output and standard error: always writable, and never an error.
fn output_stream(streams: &mut LinkerInstance<'_, Guest>) -> Result<()> {
    resource::<OutputStream>(streams, "output-stream")?;
    streams.func_wrap(
        "[method]output-stream.check-write",
        |_: Context<'_>, (_,): (Resource<OutputStream>,)| Ok((Streamed::Ok(WRITE_BYTES),)),
    )?;
    for name in ["write", "blocking-write-and-flush"] {
        streams.func_wrap(
            &format!("[method]output-stream.{name}"),
            |mut store: Context<'_>, (_, bytes): (Resource<OutputStream>, WasmList<u8>)| {
                write(&mut store, &bytes);
                Ok((Streamed::Ok(()),))
            },
        )?;
    }
    for name in ["flush", "blocking-flush"] {
        streams.func_wrap(
            &format!("[method]output-stream.{name}"),
            |_: Context<'_>, (_,): (Resource<OutputStream>,)| Ok((Streamed::Ok(()),)),
        )?;
    }
    for name in ["write-zeroes", "blocking-write-zeroes-and-flush"] {
        streams.func_wrap(
            &format!("[method]output-stream.{name}"),
            |_: Context<'_>, (_, _): (Resource<OutputStream>, u64)| Ok((Streamed::Ok(()),)),
        )?;
    }
    for name in ["splice", "blocking-splice"] {
        streams.func_wrap(
            &format!("[method]output-stream.{name}"),
            |_: Context<'_>, (_, _, _): (Resource<OutputStream>, Resource<InputStream>, u64)| {
                Ok((closed::<u64>(),))
            },
        )?;
    }
    streams.func_wrap("[method]output-stream.subscribe", |_: Context<'_>, (_,): (Resource<OutputStream>,)| {
        Ok((handle::<Pollable>(),))
    })
}

/// Copies what the log has room for out of the guest's memory, and only counts the rest.
fn write(store: &mut Context<'_>, bytes: &WasmList<u8>) {
    let (first, last) = store.data().log.room();
    let written = bytes.as_le_slice(store.as_context());
    let first = written.get(..first).unwrap_or(written).to_vec();
    let last = written.get(written.len().saturating_sub(last)..).unwrap_or(written).to_vec();
    let written = written.len() as u64;
    store.data_mut().log.write(&first, &last, written);
}

fn closed<T>() -> Streamed<T> {
    Err(StreamError::Closed)
}

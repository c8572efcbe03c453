//! `wasi:clocks`: it is always the same moment, and every wait is over.

use wasmtime::component::{ComponentType, Lift, Linker, Lower};
use wasmtime::{Result, StoreContextMut};

use super::io::{Pollable, handle};
use super::versioned;
use crate::guest::Guest;

/// 2000-01-01T00:00:00Z: plausible enough for libraries that refuse 1970, and nobody takes it for the present.
const WALL_CLOCK: Datetime = Datetime { seconds: 946_684_800, nanoseconds: 0 };
const RESOLUTION: Datetime = Datetime { seconds: 0, nanoseconds: 1 };

#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

type Context<'a> = StoreContextMut<'a, Guest>;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    let mut wall_clock = linker.instance(&versioned("wasi:clocks/wall-clock"))?;
    wall_clock.func_wrap("now", |_: Context<'_>, (): ()| Ok((WALL_CLOCK,)))?;
    wall_clock.func_wrap("resolution", |_: Context<'_>, (): ()| Ok((RESOLUTION,)))?;

    let mut monotonic_clock = linker.instance(&versioned("wasi:clocks/monotonic-clock"))?;
    monotonic_clock.func_wrap("now", |_: Context<'_>, (): ()| Ok((0u64,)))?;
    monotonic_clock.func_wrap("resolution", |_: Context<'_>, (): ()| Ok((1u64,)))?;
    for name in ["subscribe-instant", "subscribe-duration"] {
        monotonic_clock.func_wrap(name, |_: Context<'_>, (_,): (u64,)| Ok((handle::<Pollable>(),)))?;
    }
    Ok(())
}

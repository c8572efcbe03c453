//! `wasi:random`: the same numbers for every instance. Guests want them for hash tables, and a formatter that let them
//! into a record would break its laws anyway.

use wasmtime::component::Linker;
use wasmtime::{Result, StoreContextMut, bail};

use super::versioned;
use crate::guest::Guest;

const SEED: u64 = 0x5349_454d_6170_686f;
/// The most that one call gives: more serves no hash table.
const MAX_BYTES: u64 = 64 << 10;

/// SplitMix64. It only has to spread well.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Random {
        Random(SEED)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        if count > MAX_BYTES {
            bail!("{count} random bytes at once, and at most {MAX_BYTES} are given");
        }
        let count = usize::try_from(count)?;
        let mut bytes = Vec::with_capacity(count.next_multiple_of(8));
        while bytes.len() < count {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(count);
        Ok(bytes)
    }
}

type Context<'a> = StoreContextMut<'a, Guest>;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    for (interface, prefix) in
        [("wasi:random/random", "get-random"), ("wasi:random/insecure", "get-insecure-random")]
    {
        let mut random = linker.instance(&versioned(interface))?;
        random.func_wrap(&format!("{prefix}-bytes"), |mut store: Context<'_>, (count,): (u64,)| {
            Ok((store.data_mut().random.bytes(count)?,))
        })?;
        random.func_wrap(&format!("{prefix}-u64"), |mut store: Context<'_>, (): ()| {
            Ok((store.data_mut().random.next(),))
        })?;
    }
    linker.instance(&versioned("wasi:random/insecure-seed"))?.func_wrap(
        "insecure-seed",
        |mut store: Context<'_>, (): ()| {
            let random = &mut store.data_mut().random;
            Ok(((random.next(), random.next()),))
        },
    )
}

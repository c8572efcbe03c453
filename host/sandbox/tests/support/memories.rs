//! Linear memories that are kept when their instance goes.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::sync::{Arc, Mutex};

use wasmtime::{Config, LinearMemory, MemoryCreator, MemoryType};

use crate::hunt::Hunt;

/// More than the guests of these tests ever have. Reserved as a whole, so that growing never moves anything.
const RESERVED_BYTES: usize = 64 << 20;
const PAGE_BYTES: usize = 64 << 10;

/// The memories of instances that are gone. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Memories(Arc<Mutex<Vec<Vec<u8>>>>);

/// The memories of one call.
pub(crate) struct Taken(Vec<Vec<u8>>);

impl Memories {
    /// Has the engine ask here for every memory.
    pub(crate) fn observe(&self, engine: &mut Config) {
        engine
            .with_host_memory(Arc::new(self.clone()))
            .memory_init_cow(false)
            .memory_reservation(0)
            .memory_reservation_for_growth(0)
            .memory_guard_size(0)
            .memory_may_move(true);
    }

    /// What has gathered since the last time.
    pub(crate) fn take(&self) -> Taken {
        Taken(std::mem::take(&mut self.0.lock().unwrap()))
    }
}

impl Taken {
    pub(crate) fn hold(&self, text: &str) -> bool {
        self.0.iter().any(|memory| memchr::memmem::find(memory, text.as_bytes()).is_some())
    }

    pub(crate) fn hold_a_secret(&self, hunt: &Hunt) -> bool {
        self.0.iter().any(|memory| hunt.found_in(memory).is_some())
    }

    #[track_caller]
    pub(crate) fn assert_free_of_secrets(&self, hunt: &Hunt, whose: &str) {
        for memory in &self.0 {
            hunt.assert_absent(&format!("the memory of {whose}"), memory);
        }
    }
}

// SAFETY: each memory is allocated zeroed, belongs to its instance alone until that is gone, and asks for no guard
// pages, as the engine was told.
unsafe impl MemoryCreator for Memories {
    fn new_memory(
        &self,
        _type: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        assert_eq!((reserved.unwrap_or(0), guard), (0, 0), "the engine relies on what is not there");
        assert!(minimum <= RESERVED_BYTES, "{minimum} bytes, at most {maximum:?}");
        let layout = Layout::from_size_align(RESERVED_BYTES, PAGE_BYTES).expect("a layout");
        // SAFETY: the layout has a size.
        let base = unsafe { alloc_zeroed(layout) };
        if base.is_null() {
            handle_alloc_error(layout);
        }
        Ok(Box::new(Observed { base, bytes: minimum, layout, gone: self.clone() }))
    }
}

struct Observed {
    base: *mut u8,
    bytes: usize,
    layout: Layout,
    gone: Memories,
}

// SAFETY: the allocation is owned, and nothing here reads it before the instance is gone.
unsafe impl Send for Observed {}
// SAFETY: as above.
unsafe impl Sync for Observed {}

// SAFETY: `byte_capacity` bytes from `as_ptr` on are allocated and aligned to pages, and never move.
unsafe impl LinearMemory for Observed {
    fn byte_size(&self) -> usize {
        self.bytes
    }

    fn byte_capacity(&self) -> usize {
        RESERVED_BYTES
    }

    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        if new_size > RESERVED_BYTES {
            return Err(wasmtime::Error::msg("more than a guest of these tests needs"));
        }
        self.bytes = new_size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.base
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        // SAFETY: the instance is gone, so nobody else has a hold on these bytes, all of which were allocated.
        let bytes = unsafe { std::slice::from_raw_parts(self.base, self.bytes) }.to_vec();
        // SAFETY: allocated with this layout, and given back once.
        unsafe { dealloc(self.base, self.layout) };
        self.gone.0.lock().unwrap().push(bytes);
    }
}

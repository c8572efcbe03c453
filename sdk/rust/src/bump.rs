//! The guest's allocator: hands out memory from one end and takes back only the last piece.
//!
//! An instance lives for one batch and is then thrown away as a whole, so nothing is worth freeing, and finding free
//! memory again would only cost time. What matters is the buffer that grows: the last allocation grows in place.
//!
//! This is the one place of the SDK with unsafe code. The arithmetic runs natively under test, on memory from a
//! vector; only `WasmMemory` is the guest's own.

use std::alloc::{GlobalAlloc, Layout};
#[cfg(target_family = "wasm")]
use std::cell::Cell;
use std::cell::UnsafeCell;
use std::ptr;

/// Where memory comes from.
pub trait Memory {
    /// Adds at least `bytes` and returns the first address and the length of what was added, or nothing.
    fn grow(&self, bytes: usize) -> Option<(usize, usize)>;
}

/// Asking for memory costs more than using it: take this much at least.
const CHUNK_BYTES: usize = 1 << 21;

/// An allocator for one thread.
#[derive(Debug)]
pub struct Bump<M> {
    memory: M,
    free: UnsafeCell<Free>,
}

/// The addresses not handed out yet.
#[derive(Debug, Clone, Copy)]
struct Free {
    next: usize,
    end: usize,
}

impl<M: Memory> Bump<M> {
    pub const fn new(memory: M) -> Bump<M> {
        Bump { memory, free: UnsafeCell::new(Free { next: 0, end: 0 }) }
    }

    /// Makes room for `size` bytes at the alignment and returns where they begin.
    #[inline]
    fn place(&self, free: &mut Free, layout: Layout) -> Option<usize> {
        let start = align_up(free.next, layout.align())?;
        match start.checked_add(layout.size()) {
            Some(end) if end <= free.end => {
                free.next = end;
                Some(start)
            }
            _ => self.place_in_new_memory(free, layout),
        }
    }

    #[cold]
    fn place_in_new_memory(&self, free: &mut Free, layout: Layout) -> Option<usize> {
        self.extend(free, layout.size().checked_add(layout.align())?)?;
        let start = align_up(free.next, layout.align())?;
        let end = start.checked_add(layout.size())?;
        free.next = end;
        (end <= free.end).then_some(start)
    }

    /// Adds memory at the end. Where something else has taken what follows, the rest of the old memory is given up.
    fn extend(&self, free: &mut Free, bytes: usize) -> Option<()> {
        let (start, length) = self.memory.grow(bytes.max(CHUNK_BYTES))?;
        if start != free.end {
            free.next = start;
        }
        free.end = start.checked_add(length)?;
        Some(())
    }

    /// Moves the end of the last allocation, which begins at `start`.
    #[inline]
    fn resize_last(&self, free: &mut Free, start: usize, size: usize) -> Option<()> {
        let end = start.checked_add(size)?;
        if end > free.end {
            let next = free.next;
            self.extend(free, end - free.end)?;
            if free.next != next {
                // The new memory does not follow the old: the allocation has to move.
                return None;
            }
        }
        free.next = end;
        Some(())
    }
}

// SAFETY: every address handed out lies in memory that `Memory` gave to this allocator alone, is aligned, and is
// handed out again only after the allocation there was freed while it was the last one. The cell is never borrowed
// twice: no method calls back into the allocator, and there is one thread.
unsafe impl<M: Memory> GlobalAlloc for Bump<M> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see above.
        let free = unsafe { &mut *self.free.get() };
        self.place(free, layout).map_or(ptr::null_mut(), ptr::with_exposed_provenance_mut)
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: see above.
        let free = unsafe { &mut *self.free.get() };
        let start = pointer.expose_provenance();
        if start + layout.size() == free.next {
            free.next = start;
        }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: see above.
        let free = unsafe { &mut *self.free.get() };
        let start = pointer.expose_provenance();
        if start + layout.size() == free.next {
            if self.resize_last(free, start, new_size).is_some() {
                return pointer;
            }
        } else if new_size <= layout.size() {
            return pointer;
        }
        // SAFETY: the caller promises that `new_size` is not zero and does not overflow when aligned.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let Some(moved) = self.place(free, new_layout) else { return ptr::null_mut() };
        let moved = ptr::with_exposed_provenance_mut(moved);
        // SAFETY: both are allocations of at least this size, and apart: the new one lies after the old one's end.
        unsafe { ptr::copy_nonoverlapping(pointer, moved, layout.size().min(new_size)) };
        moved
    }
}

/// What a usual batch needs, documents and records together.
#[cfg(target_family = "wasm")]
const FIRST_BYTES: usize = 4 << 20;

/// The guest's own memory. The first piece is there from the start: it is all zeroes, so the component is no larger for
/// it, and the host need not change the protection of thousands of pages for each batch. Untouched pages cost nothing.
#[cfg(target_family = "wasm")]
#[derive(Debug)]
pub struct WasmMemory {
    first: UnsafeCell<[u8; FIRST_BYTES]>,
    is_first_given: Cell<bool>,
}

#[cfg(target_family = "wasm")]
impl WasmMemory {
    pub const fn new() -> WasmMemory {
        WasmMemory { first: UnsafeCell::new([0; FIRST_BYTES]), is_first_given: Cell::new(false) }
    }
}

#[cfg(target_family = "wasm")]
impl Memory for WasmMemory {
    fn grow(&self, bytes: usize) -> Option<(usize, usize)> {
        const PAGE_BYTES: usize = 1 << 16;
        if bytes <= FIRST_BYTES && !self.is_first_given.replace(true) {
            return Some((self.first.get().expose_provenance(), FIRST_BYTES));
        }
        let pages = bytes.div_ceil(PAGE_BYTES);
        match core::arch::wasm32::memory_grow::<0>(pages) {
            usize::MAX => None,
            first => Some((first * PAGE_BYTES, pages * PAGE_BYTES)),
        }
    }
}

// SAFETY: a formatter is built for wasm32-wasip2, which has no threads.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
unsafe impl Sync for Bump<WasmMemory> {}

#[inline]
fn align_up(address: usize, align: usize) -> Option<usize> {
    Some(address.checked_add(align - 1)? & !(align - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of one vector; a gap after each piece when `gap` is not zero, as if something else grew the memory too.
    struct Vector {
        bytes: UnsafeCell<Vec<u64>>,
        used: UnsafeCell<usize>,
        gap: usize,
    }

    impl Memory for Vector {
        fn grow(&self, bytes: usize) -> Option<(usize, usize)> {
            // SAFETY: one thread, and no reference outlives the call.
            let (memory, used) = unsafe { (&mut *self.bytes.get(), &mut *self.used.get()) };
            let bytes = bytes.next_multiple_of(8);
            let start = *used;
            *used = start + bytes + self.gap;
            (*used <= memory.len() * 8).then(|| (memory.as_mut_ptr().expose_provenance() + start, bytes))
        }
    }

    fn bump(chunks: usize, gap: usize) -> Bump<Vector> {
        let bytes = UnsafeCell::new(vec![0; chunks * CHUNK_BYTES / 8]);
        Bump::new(Vector { bytes, used: UnsafeCell::new(0), gap })
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    /// Allocations that must keep what was written into them, whatever happens to others.
    fn check_contents(gap: usize) {
        let bump = bump(24, gap);
        let mut random = 7_u32;
        let mut live: Vec<(*mut u8, Layout, u8)> = Vec::new();
        for step in 0..4_000_u32 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (choice, size) = (random >> 30, (random >> 16) as usize % 3_000 + 1);
            let fill = step as u8;
            // SAFETY: pointers and layouts are those of this allocator, and sizes are not zero.
            unsafe {
                match live.pop() {
                    Some((pointer, layout, _)) if choice == 0 => bump.dealloc(pointer, layout),
                    Some((pointer, old, byte)) if choice == 1 => {
                        let moved = bump.realloc(pointer, old, size);
                        let kept = std::slice::from_raw_parts(moved, old.size().min(size));
                        assert!(kept.iter().all(|&kept| kept == byte));
                        moved.write_bytes(fill, size);
                        live.push((moved, layout(size, old.align()), fill));
                    }
                    last => {
                        live.extend(last);
                        let layout = layout(size, 1 << (random % 5));
                        let pointer = bump.alloc(layout);
                        assert_eq!(pointer.addr() % layout.align(), 0);
                        pointer.write_bytes(fill, size);
                        live.push((pointer, layout, fill));
                    }
                }
            }
            if step % 3 == 0 {
                let middle = live.len() / 2;
                live.rotate_left(middle);
            }
        }
        for (pointer, layout, fill) in live {
            // SAFETY: still allocated.
            let bytes = unsafe { std::slice::from_raw_parts(pointer, layout.size()) };
            assert!(bytes.iter().all(|&byte| byte == fill));
        }
    }

    #[test]
    fn allocations_never_overlap_in_one_piece_of_memory() {
        check_contents(0);
    }

    #[test]
    fn allocations_never_overlap_when_the_memory_has_gaps() {
        check_contents(4096);
    }

    #[test]
    fn the_last_allocation_grows_in_place_across_chunks() {
        let bump = bump(8, 0);
        // SAFETY: as above.
        unsafe {
            let first = bump.alloc(layout(100, 1));
            let mut size = 100;
            while size < 3 * CHUNK_BYTES {
                assert_eq!(bump.realloc(first, layout(size, 1), size * 2), first);
                size *= 2;
            }
        }
    }

    #[test]
    fn freeing_the_last_allocation_gives_its_memory_back() {
        let bump = bump(1, 0);
        // SAFETY: as above.
        unsafe {
            for _ in 0..1_000 {
                let pointer = bump.alloc(layout(CHUNK_BYTES / 2, 8));
                assert!(!pointer.is_null());
                bump.dealloc(pointer, layout(CHUNK_BYTES / 2, 8));
            }
        }
    }

    #[test]
    fn memory_that_has_run_out_is_a_null_pointer() {
        let bump = bump(2, 0);
        // SAFETY: as above.
        unsafe {
            assert!(bump.alloc(layout(3 * CHUNK_BYTES, 8)).is_null());
            assert!(bump.alloc(layout(isize::MAX as usize - 64, 64)).is_null());
        }
    }
}

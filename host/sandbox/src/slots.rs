//! How many instances exist at once. The memory pool has a fixed number of places, and running out of them must look
//! like waiting, not like an error.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Clone)]
pub(crate) struct Slots(Arc<Shared>);

struct Shared {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Slots {
    pub(crate) fn new(count: usize) -> Slots {
        Slots(Arc::new(Shared { free: Mutex::new(count), freed: Condvar::new() }))
    }

    /// Blocks until a place is free. A thread that takes more than one at a time can wait for itself.
    pub(crate) fn take(&self) -> Slot {
        let free = self.0.lock();
        let mut free =
            self.0.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Slot(Arc::clone(&self.0))
    }
}

/// One place, given back when dropped.
pub(crate) struct Slot(Arc<Shared>);

impl Drop for Slot {
    fn drop(&mut self) {
        *self.0.lock() += 1;
        self.0.freed.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, usize> {
        // The number is right even if a thread panicked while it held the lock.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

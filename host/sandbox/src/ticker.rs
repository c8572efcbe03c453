//! The engine's clock: one thread that moves the epoch while a guest runs, and is parked otherwise.
//!
//! The epoch belongs to the engine, so each tick makes *every* running guest look at its own deadlines. A tick decides
//! nothing: it only interrupts. That keeps one guest's end from being another's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Engine;

/// How late a deadline may be noticed. Each tick costs a running guest two clock readings.
const TICK: Duration = Duration::from_millis(5);

pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    parked: AtomicBool,
    closed: AtomicBool,
}

impl Ticker {
    pub(crate) fn start(engine: Engine) -> std::io::Result<Ticker> {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new().name("sandbox-ticker".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.tick(&engine)
        })?;
        Ok(Ticker { shared, thread: Some(thread) })
    }

    /// Ticks come for as long as the guard lives.
    pub(crate) fn running(&self) -> Running<'_> {
        let first = self.shared.running.fetch_add(1, Ordering::SeqCst) == 0;
        // Under load the thread is awake already, and waking it again would cost each batch a system call.
        if first && self.shared.parked.load(Ordering::SeqCst) {
            self.unpark();
        }
        Running(&self.shared)
    }

    fn unpark(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.unpark();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sandbox's ticker had panicked");
        }
    }
}

pub(crate) struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Shared {
    fn tick(&self, engine: &Engine) {
        while !self.closed.load(Ordering::SeqCst) {
            if self.running.load(Ordering::SeqCst) > 0 {
                std::thread::park_timeout(TICK);
                engine.increment_epoch();
                continue;
            }
            self.parked.store(true, Ordering::SeqCst);
            // Asked again after saying so: a guest that started in between has seen `parked` or is seen here.
            if self.running.load(Ordering::SeqCst) == 0 && !self.closed.load(Ordering::SeqCst) {
                std::thread::park();
            }
            self.parked.store(false, Ordering::SeqCst);
        }
    }
}

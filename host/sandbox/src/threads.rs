//! The formatting threads: ordinary OS threads, because a guest computes and never waits.
//!
//! There are two at least: one that slow plugins may have, and one that is kept from them (see `turns`). On a machine
//! with one processor the operating system shares it out between them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, oneshot};

use crate::error::SandboxError;
use crate::guest::thread_cpu_time;
use crate::turns::{Ended, Turns};

/// Room for a guest's stack (see `limits`), the engine's own frames and a caller's closure.
const THREAD_STACK_BYTES: usize = 4 << 20;
pub(crate) const MIN_THREADS: usize = 2;

/// The sandbox has been dropped, or its threads are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox is closed")]
pub struct SandboxClosed;

type Job = Box<dyn FnOnce() + Send>;

/// The threads end once the last clone is dropped and no work waits.
#[derive(Clone)]
pub(crate) struct FormattingThreads(Arc<Handle>);

/// What all clones share and the threads do not, so that its end is the last clone's.
struct Handle(Arc<Shared>);

struct Shared {
    /// How much work of each plugin may wait.
    queue: usize,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    turns: Turns<Job>,
    /// Places for work that waits, by plugin: a plugin that fills its own takes none from another.
    places: BTreeMap<String, Arc<Semaphore>>,
    closed: bool,
}

impl FormattingThreads {
    pub(crate) fn start(count: usize, queue: usize) -> Result<FormattingThreads, SandboxError> {
        let count = count.max(MIN_THREADS);
        let state = State { turns: Turns::new(count), places: BTreeMap::new(), closed: false };
        let shared =
            Arc::new(Shared { queue: queue.max(1), state: Mutex::new(state), changed: Condvar::new() });
        // Before the threads, so that those that did start end when one does not.
        let threads = FormattingThreads(Arc::new(Handle(Arc::clone(&shared))));
        for number in 0..count {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("formatting-{number}"))
                .stack_size(THREAD_STACK_BYTES)
                .spawn(move || shared.work())
                .map_err(SandboxError::Thread)?;
        }
        Ok(threads)
    }

    /// Waits for a place, then for a turn of the plugin, then for the result. Dropping the future before the work has begun takes it
    /// back; work that has begun is finished and its result dropped. A panic of the work is the caller's own.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        plugin: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SandboxClosed> {
        let place = self.0.0.places(plugin).acquire_owned().await.map_err(|_| SandboxClosed)?;
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move || {
            drop(place);
            if !sender.is_closed() {
                // The receiver may be gone by now; then nobody wants the result.
                drop(sender.send(catch_unwind(AssertUnwindSafe(work))));
            }
        });
        self.0.0.push(plugin, job);
        match receiver.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(SandboxClosed),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn places(&self, plugin: &str) -> Arc<Semaphore> {
        let mut state = self.lock();
        if let Some(places) = state.places.get(plugin) {
            return Arc::clone(places);
        }
        let places = Arc::new(Semaphore::new(self.queue));
        state.places.insert(plugin.to_owned(), Arc::clone(&places));
        places
    }

    fn push(&self, plugin: &str, job: Job) {
        self.lock().turns.push(plugin, job);
        self.changed.notify_one();
    }

    /// What each thread does.
    fn work(&self) {
        while let Some((job, ended)) = self.next() {
            let begun = thread_cpu_time();
            job();
            self.lock().turns.end(&ended, thread_cpu_time().saturating_sub(begun));
        }
    }

    fn next(&self) -> Option<(Job, Ended)> {
        let mut state = self.lock();
        loop {
            if let Some(turn) = state.turns.next() {
                // The turn before this one may have let more than one begin.
                if !state.turns.is_empty() {
                    self.changed.notify_one();
                }
                return Some(turn.split());
            }
            if state.closed && state.turns.is_empty() {
                // The others wait for work that was not theirs to do.
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Jobs run outside the lock and panic within themselves, so nothing is half-done in here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

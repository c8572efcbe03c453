//! The formatting threads: ordinary OS threads, because a guest computes and never waits.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::error::SandboxError;

/// Room for a guest's stack (see `limits`), the engine's own frames and a caller's closure.
const THREAD_STACK_BYTES: usize = 4 << 20;

/// The sandbox has been dropped, or its threads are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox is closed")]
pub struct SandboxClosed;

type Job = Box<dyn FnOnce() + Send>;

/// The threads end once the last clone is dropped and the queue is empty.
#[derive(Clone)]
pub(crate) struct FormattingThreads {
    queue: mpsc::Sender<Job>,
}

impl FormattingThreads {
    pub(crate) fn start(count: usize, queue: usize) -> Result<FormattingThreads, SandboxError> {
        let (sender, receiver) = mpsc::channel(queue.max(1));
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..count.max(1) {
            let receiver = Arc::clone(&receiver);
            std::thread::Builder::new()
                .name(format!("formatting-{number}"))
                .stack_size(THREAD_STACK_BYTES)
                .spawn(move || while next(&receiver).map(|job| job()).is_some() {})
                .map_err(SandboxError::Thread)?;
        }
        Ok(FormattingThreads { queue: sender })
    }

    /// Waits for a place in the queue, then for the result. Dropping the future before the work has begun takes it
    /// back; work that has begun is finished and its result dropped. A panic of the work is the caller's own.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SandboxClosed> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move || {
            if !sender.is_closed() {
                // The receiver may be gone by now; then nobody wants the result.
                drop(sender.send(catch_unwind(AssertUnwindSafe(work))));
            }
        });
        self.queue.send(job).await.map_err(|_| SandboxClosed)?;
        match receiver.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(SandboxClosed),
        }
    }
}

/// One thread waits for the next job, the others for their turn to wait.
fn next(receiver: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
}

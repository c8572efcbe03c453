//! A pipeline from outside: start it, ask it, drain it.

use siemaphore_store::StoreError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::probe::ProbeReport;
use crate::status::Status;
use crate::task::Task;
use crate::test_event::TestReport;
use crate::{PipelineConfig, Stages};

/// A running pipeline. Dropping it stops the task at once; [`drain`](Pipeline::drain) lets it finish first.
#[derive(Debug)]
pub struct Pipeline {
    handle: PipelineHandle,
    drain: CancellationToken,
    task: JoinHandle<()>,
}

impl Pipeline {
    /// Registers the destination with the store and starts its task.
    pub async fn start(config: PipelineConfig, stages: Stages) -> Result<Pipeline, StoreError> {
        let registration = siemaphore_store::Registration {
            destination: config.destination.clone(),
            organization: config.organization.clone(),
            age_limit: config.age_limit,
            start: config.start,
            dead_letter_limit: config.dead_letter_limit,
        };
        stages.store.open_destination(registration).await?;
        let (status, watched) = watch::channel(Status::new());
        let (commands, received) = mpsc::channel(COMMANDS);
        let drain = CancellationToken::new();
        let destination = config.destination.clone();
        let task = Task::new(config, stages, status, received, drain.clone());
        let handle = PipelineHandle { destination, status: watched, commands };
        Ok(Pipeline { handle, drain, task: tokio::spawn(task.run()) })
    }

    pub fn handle(&self) -> PipelineHandle {
        self.handle.clone()
    }

    /// Takes nothing new, and waits until what is in flight is settled, or until `deadline`. False when requests had to be
    /// cut off: their events are sent again after the next start.
    pub async fn drain(mut self, deadline: tokio::time::Instant) -> bool {
        self.drain.cancel();
        tokio::time::timeout_at(deadline, &mut self.task).await.is_ok()
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A remote control of a pipeline.
#[derive(Debug, Clone)]
pub struct PipelineHandle {
    destination: String,
    status: watch::Receiver<Status>,
    commands: mpsc::Sender<Command>,
}

impl PipelineHandle {
    pub fn destination(&self) -> &str {
        &self.destination
    }

    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Wakes whenever the status has changed or events were settled.
    pub fn changes(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Sends one synthetic event past the log, and says what came of it. `None` when the pipeline has stopped.
    pub async fn test(&self) -> Option<TestReport> {
        let (answer, received) = oneshot::channel();
        self.commands.send(Command::Test(answer)).await.ok()?;
        received.await.ok()
    }

    /// Makes the formatter's probe, which stores nothing. `None` when the pipeline has stopped.
    pub async fn probe(&self) -> Option<ProbeReport> {
        let (answer, received) = oneshot::channel();
        self.commands.send(Command::Probe(answer)).await.ok()?;
        received.await.ok()
    }

    /// Allows a changed request of the formatter's new version. False when none waits.
    pub async fn promote(&self) -> bool {
        let (answer, received) = oneshot::channel();
        self.commands.send(Command::Promote(answer)).await.is_ok() && received.await.unwrap_or(false)
    }
}

/// What a handle can ask of the task.
pub(crate) enum Command {
    Test(oneshot::Sender<TestReport>),
    Probe(oneshot::Sender<ProbeReport>),
    Promote(oneshot::Sender<bool>),
}

const COMMANDS: usize = 4;

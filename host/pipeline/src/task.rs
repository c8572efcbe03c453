//! The task of one destination: what wakes it, and what it does then.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use siemaphore_registry::Active;
use siemaphore_store::{Settlement, StoreError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::batch::Batch;
use crate::chunk::Chunk;
use crate::formatting::{Formatted, format};
use crate::health::{Health, Trouble};
use crate::reading::{Fetched, fetch};
use crate::sending::{Answered, now_ms, send};
use crate::status::{Failure, State, Status};
use crate::suspects::{Suspects, Trial};
use crate::test_event::{self, TestReport};
use crate::version::{Consent, Version, VersionError, establish};
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

    /// Wakes whenever the status has changed.
    pub fn changes(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Sends one synthetic event past the log, and says what came of it. `None` when the pipeline has stopped.
    pub async fn test(&self) -> Option<TestReport> {
        let (answer, received) = oneshot::channel();
        self.commands.send(Command::Test(answer)).await.ok()?;
        received.await.ok()
    }

    /// Allows a changed request of the formatter's new version. False when none waits.
    pub async fn promote(&self) -> bool {
        let (answer, received) = oneshot::channel();
        self.commands.send(Command::Promote(answer)).await.is_ok() && received.await.unwrap_or(false)
    }
}

enum Command {
    Test(oneshot::Sender<TestReport>),
    Promote(oneshot::Sender<bool>),
}

const COMMANDS: usize = 4;

/// How long to wait before a failed look at the log or a failed settlement is tried again.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Everything that can wake the task.
enum Wake {
    Done(Result<Done, JoinError>),
    Appended,
    PauseOver,
    StorePauseOver,
    SuspectsDue,
    PluginChanged,
    Command(Command),
    Drain,
}

/// Work that has finished beside the task.
enum Done {
    Fetched(Result<Fetched, StoreError>),
    Formatted(Formatted),
    Reframed(Vec<Batch>),
    Answered(Box<Answered>),
}

/// Work that waits for its turn.
pub(crate) enum Work {
    Send(Batch),
    /// Events to be formatted, anew or again.
    Format(Chunk, Trial),
    Halve(Batch),
    /// Some records of a request, by index.
    Reframe(Batch, Vec<usize>),
}

pub(crate) struct Task {
    pub(crate) config: PipelineConfig,
    pub(crate) stages: Stages,
    pub(crate) health: Health,
    pub(crate) suspects: Suspects,
    pub(crate) settlement: Settlement,
    /// In the order in which it is to be done; what failed goes back to the front.
    pub(crate) work: VecDeque<Work>,
    pub(crate) version: Option<Arc<Version>>,
    pub(crate) status: watch::Sender<Status>,
    subscription: Arc<siemaphore_model::Subscription>,
    running: JoinSet<Done>,
    sending: usize,
    fetching: bool,
    next: u64,
    /// Nothing to read until something is appended.
    at_end: bool,
    /// One look at the log while the stream is broken, for a fresh event to probe with.
    pub(crate) look_once: bool,
    store_pause: Option<Instant>,
    /// A version whose changed request an operator has to allow.
    waiting: Option<Arc<Active>>,
    commands: mpsc::Receiver<Command>,
    drain: CancellationToken,
}

impl Task {
    fn new(
        config: PipelineConfig,
        stages: Stages,
        status: watch::Sender<Status>,
        commands: mpsc::Receiver<Command>,
        drain: CancellationToken,
    ) -> Task {
        Task {
            health: Health::new(config.concurrency),
            suspects: Suspects::default(),
            settlement: empty_settlement(&config),
            work: VecDeque::new(),
            version: None,
            status,
            subscription: Arc::new(config.subscription.clone()),
            running: JoinSet::new(),
            sending: 0,
            fetching: false,
            next: 0,
            at_end: false,
            look_once: false,
            store_pause: None,
            waiting: None,
            commands,
            drain,
            config,
            stages,
        }
    }

    async fn run(mut self) {
        let mut appended = self.stages.store.appended();
        let mut plugin = self.stages.plugin.changes();
        plugin.mark_changed();
        loop {
            self.settle().await;
            self.start_work();
            self.publish();
            match self.wake(&mut appended, &mut plugin).await {
                Wake::Done(Ok(done)) => self.finish(done),
                Wake::Done(Err(error)) => self.crashed(&error),
                Wake::Appended => self.at_end = false,
                Wake::PauseOver => self.pause_is_over(),
                Wake::StorePauseOver => self.store_pause = None,
                Wake::SuspectsDue => self.retry_suspects(),
                Wake::PluginChanged => self.adopt(Consent::Needed).await,
                Wake::Command(command) => self.obey(command).await,
                Wake::Drain => break,
            }
        }
        self.finish_in_flight().await;
    }

    async fn wake(&mut self, appended: &mut watch::Receiver<u64>, plugin: &mut watch::Receiver<u64>) -> Wake {
        let pause = self.health.paused_until(Instant::now());
        let store_pause = self.store_pause;
        // A closed line is tried when its pause is over, and with it the suspects.
        let suspects_due = if pause.is_none() { self.suspects.retry_at() } else { None };
        tokio::select! {
            biased;
            () = self.drain.cancelled() => Wake::Drain,
            Some(done) = self.running.join_next() => Wake::Done(done),
            Some(command) = self.commands.recv() => Wake::Command(command),
            Ok(()) = plugin.changed() => Wake::PluginChanged,
            () = at(pause) => Wake::PauseOver,
            () = at(store_pause) => Wake::StorePauseOver,
            () = at(suspects_due) => Wake::SuspectsDue,
            Ok(()) = appended.changed(), if self.at_end => Wake::Appended,
        }
    }

    /// Starts as much as limits allow: requests first, then formatting, then reading ahead.
    fn start_work(&mut self) {
        if self.store_pause.is_some() {
            return;
        }
        let mut sends_waiting = 0;
        let mut later = VecDeque::new();
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::Send(batch) if self.is_outdated(&batch) => {
                    self.work.push_front(Work::Format(batch.chunk(), batch.trial));
                }
                Work::Send(batch) if self.health.permits(self.sending, Instant::now()) => self.launch(batch),
                Work::Send(batch) => {
                    sends_waiting += 1;
                    later.push_back(Work::Send(batch));
                }
                Work::Format(chunk, trial) => self.launch_formatting(chunk, trial, &mut later),
                Work::Halve(batch) => self.launch_framing(move || batch.halve()),
                Work::Reframe(batch, records) => self.launch_framing(move || batch.reframe(records)),
            }
        }
        self.work = later;
        // Enough to keep every request slot busy while the next look is under way, and no more: this is what bounds
        // the memory of a destination.
        if sends_waiting < self.config.concurrency {
            self.launch_fetch();
        }
    }

    fn is_outdated(&self, batch: &Batch) -> bool {
        self.version.as_ref().is_some_and(|version| !Arc::ptr_eq(version, &batch.formatted.version))
    }

    fn launch(&mut self, batch: Batch) {
        self.sending += 1;
        let stages = self.stages.clone();
        self.running.spawn(async move { Done::Answered(Box::new(send(&stages, batch).await)) });
    }

    fn launch_formatting(&mut self, chunk: Chunk, trial: Trial, later: &mut VecDeque<Work>) {
        let Some(version) = self.version.clone() else {
            later.push_back(Work::Format(chunk, trial));
            return;
        };
        let sandbox = self.stages.sandbox.clone();
        self.running.spawn(async move {
            let spare = chunk.clone();
            let formatted = sandbox.run(move || format(&version, chunk, trial)).await;
            Done::Formatted(
                formatted.unwrap_or_else(|_| Formatted { postponed: vec![spare], ..Formatted::default() }),
            )
        });
    }

    /// Framing compresses, so it has no place on an async thread.
    fn launch_framing(&mut self, work: impl FnOnce() -> Vec<Batch> + Send + 'static) {
        let sandbox = self.stages.sandbox.clone();
        self.running.spawn(async move { Done::Reframed(sandbox.run(work).await.unwrap_or_default()) });
    }

    fn launch_fetch(&mut self) {
        let Some(version) = self.version.clone() else { return };
        if self.fetching || self.at_end || (self.suspects.stream_is_broken() && !self.look_once) {
            return;
        }
        self.look_once = false;
        self.fetching = true;
        let stages = self.stages.clone();
        let (destination, subscription, next) =
            (self.config.destination.clone(), Arc::clone(&self.subscription), self.next);
        self.running.spawn(async move {
            Done::Fetched(fetch(&stages, &destination, subscription, version, next).await)
        });
    }

    fn finish(&mut self, done: Done) {
        match done {
            Done::Fetched(Ok(fetched)) => self.fetched(fetched),
            Done::Fetched(Err(error)) => {
                self.fetching = false;
                self.store_failed(&error);
            }
            Done::Formatted(formatted) => self.take_formatted(formatted, true),
            Done::Reframed(batches) => {
                for batch in batches.into_iter().rev() {
                    self.work.push_front(Work::Send(batch));
                }
            }
            Done::Answered(answered) => {
                self.sending -= 1;
                self.judge(*answered);
            }
        }
    }

    fn fetched(&mut self, fetched: Fetched) {
        self.fetching = false;
        self.next = fetched.next;
        self.at_end = fetched.at_end;
        self.settlement.filtered.extend(fetched.filtered);
        for formatted in fetched.formatted {
            self.take_formatted(formatted, false);
        }
    }

    /// Queues the requests: `again` when these events have been on their way before, so that they go first.
    fn take_formatted(&mut self, formatted: Formatted, again: bool) {
        let sends = formatted.batches.into_iter().map(Work::Send);
        if again {
            sends.rev().for_each(|send| self.work.push_front(send));
        } else {
            self.work.extend(sends);
        }
        if formatted.formatter_rejected_all {
            self.suspects.accuse_formatter();
        }
        for suspect in formatted.too_large {
            self.give_up(suspect);
        }
        for suspect in formatted.suspects {
            self.accuse(suspect);
        }
        if let Some((reason, hint)) = formatted.trouble {
            self.fail(None, Trouble { reason, hint, holding: true });
        }
        for chunk in formatted.postponed.into_iter().rev() {
            self.work.push_front(Work::Format(chunk, Trial::First));
        }
    }

    /// A panic in work beside the task is a bug of ours. Its events are unsettled: reading again brings them back.
    fn crashed(&mut self, error: &JoinError) {
        tracing::error!(destination = self.config.destination, error = %error, "work for a destination crashed; reading its events again");
        self.start_over();
    }

    /// Forgets everything that is not settled, and reads it again.
    fn start_over(&mut self) {
        self.running = JoinSet::new();
        self.work.clear();
        self.suspects = Suspects::default();
        self.sending = 0;
        self.fetching = false;
        self.next = 0;
        self.at_end = false;
        self.store_pause = Some(Instant::now() + STORE_PAUSE);
    }

    async fn settle(&mut self) {
        if is_empty(&self.settlement) || self.store_pause.is_some() {
            return;
        }
        // Kept until the store has taken it: settling twice is harmless, forgetting is not.
        match self.stages.store.settle(self.settlement.clone()).await {
            Ok(()) => self.settlement = empty_settlement(&self.config),
            Err(error) => self.store_failed(&error),
        }
    }

    fn store_failed(&mut self, error: &StoreError) {
        tracing::error!(destination = self.config.destination, error = %error, "the store failed; trying again");
        self.store_pause = Some(Instant::now() + STORE_PAUSE);
    }

    fn pause_is_over(&mut self) {
        self.probe_broken_stream();
    }

    /// Adopts the plugin's active version, once it is configured and its request is granted.
    async fn adopt(&mut self, consent: Consent) {
        let active = match consent {
            Consent::Given => self.waiting.take(),
            Consent::Needed => self.stages.plugin.active(),
        };
        let Some(active) = active else {
            let reason = format!("formatter `{}` is not loaded", self.stages.plugin.name());
            let hint =
                "see `siemaphore plugin list` for the reason; delivery goes on by itself once it is there";
            self.publish_failure(Trouble { reason, hint: hint.to_owned(), holding: true });
            return;
        };
        let (sandbox, store) = (&self.stages.sandbox, &self.stages.store);
        let established =
            establish(&self.config, sandbox, store, &self.stages.target, Arc::clone(&active), consent).await;
        match established {
            Ok(version) => self.switch(version),
            Err(error) => {
                if matches!(error, VersionError::WaitsForPromotion { .. }) {
                    self.waiting = Some(active);
                }
                self.publish_failure(Trouble {
                    reason: error.to_string(),
                    hint: error.hint().to_owned(),
                    holding: self.version.is_none(),
                });
            }
        }
    }

    fn switch(&mut self, version: Version) {
        tracing::info!(
            destination = self.config.destination,
            formatter = self.stages.plugin.name(),
            version = version.active.version,
            digest = version.active.digest,
            "formatting with this version from now on"
        );
        self.status.send_modify(|status| {
            status.plugin_version = Some(version.active.version.clone());
            status.plugin_digest = Some(version.active.digest.clone());
            status.request = Some(version.profile.summary().to_owned());
        });
        self.version = Some(Arc::new(version));
        self.waiting = None;
        for suspect in self.suspects.release_all() {
            self.work.push_front(Work::Format(suspect.chunk, suspect.trial));
        }
        // What the old version held up may go through with the new one.
        self.health.start_afresh();
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Test(answer) => {
                let (stages, config, version) =
                    (self.stages.clone(), self.config.clone(), self.version.clone());
                // Beside the task, for it may take as long as a request; nobody but the caller waits for it.
                tokio::spawn(async move {
                    let report = test_event::run(&stages, &config, version).await;
                    drop(answer.send(report));
                });
            }
            Command::Promote(answer) => {
                let waits = self.waiting.is_some();
                if waits {
                    self.adopt(Consent::Given).await;
                }
                // Whoever asked may have gone.
                answer.send(waits).unwrap_or_default();
            }
        }
    }

    /// Requests in flight are waited for and settled; everything else is still in the log.
    async fn finish_in_flight(&mut self) {
        self.work.clear();
        while self.sending > 0 {
            match self.running.join_next().await {
                Some(Ok(Done::Answered(answered))) => {
                    self.sending -= 1;
                    self.judge(*answered);
                }
                Some(_) => {}
                None => break,
            }
        }
        self.store_pause = None;
        self.settle().await;
        self.publish();
    }

    fn publish_failure(&mut self, trouble: Trouble) {
        tracing::warn!(
            destination = self.config.destination,
            reason = trouble.reason,
            hint = trouble.hint,
            "the destination has a problem"
        );
        self.status.send_modify(|status| {
            status.last_error =
                Some(Failure { at_ms: now_ms(), reason: trouble.reason.clone(), hint: trouble.hint.clone() });
            if trouble.holding {
                status.state = State::Holding;
            }
        });
    }

    fn publish(&self) {
        let state = self.state();
        let pause = self
            .health
            .paused_until(Instant::now())
            .map(|until| until.saturating_duration_since(Instant::now()));
        let next_attempt_ms = pause.and_then(|pause| Some(now_ms() + u64::try_from(pause.as_millis()).ok()?));
        let (failures, suspects) = (self.health.failures(), self.suspects.len());
        self.status.send_if_modified(|status| {
            let changed = status.state != state || status.failures != failures || status.suspects != suspects;
            status.state = state;
            status.failures = failures;
            status.suspects = suspects;
            status.next_attempt_ms = next_attempt_ms;
            changed
        });
    }

    fn state(&self) -> State {
        match self.health.trouble() {
            _ if self.version.is_none() => State::Holding,
            Some(trouble) if trouble.holding => State::Holding,
            Some(_) => State::Failing,
            None if self.sending > 0 || !self.work.is_empty() || self.fetching => State::Active,
            None => State::Idle,
        }
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

fn empty_settlement(config: &PipelineConfig) -> Settlement {
    Settlement { destination: config.destination.clone(), ..Settlement::default() }
}

fn is_empty(settlement: &Settlement) -> bool {
    let Settlement { destination: _, delivered, filtered, dead_letters, duplicates } = settlement;
    delivered.is_empty() && filtered.is_empty() && dead_letters.is_empty() && *duplicates == 0
}

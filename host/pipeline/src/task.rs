//! The task of one destination: what wakes it, and what it does then.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use siemaphore_model::Subscription;
use siemaphore_store::{FullDeadLetter, Settlement, StoreError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::batch::Batch;
use crate::chunk::Chunk;
use crate::confirming::Question;
use crate::formatting::Formatted;
use crate::handle::Command;
use crate::health::{Health, Trouble};
use crate::pace::Pace;
use crate::probe::probe;
use crate::reading::Fetched;
use crate::reception::Reception;
use crate::replay::Replay;
use crate::sending::Answered;
use crate::settling::{STORE_PAUSE, WithoutRoom, empty_settlement};
use crate::status::Status;
use crate::suspects::{Suspects, Trial};
use crate::test_event::{self, TestReport};
use crate::version::{Consent, Version};
use crate::{PipelineConfig, Stages};

/// Everything that can wake the task.
enum Wake {
    Done(Result<Done, JoinError>),
    Appended,
    PauseOver,
    StorePauseOver,
    PaceAllows,
    RoomForDeadLetters,
    ReplayRequested,
    SuspectsDue,
    TrialMayBeOver,
    PluginChanged,
    AdoptionDue,
    Command(Command),
    Drain,
}

/// Work that has finished beside the task.
pub(crate) enum Done {
    Fetched(Result<Fetched, StoreError>),
    Formatted(Box<Formatted>),
    Reframed(Vec<Batch>),
    Answered(Box<Answered>),
    Confirmed(Box<Answered>, Question),
    Replays(Result<Vec<FullDeadLetter>, StoreError>),
    Tested(Box<TestReport>, oneshot::Sender<TestReport>),
    Probed,
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
    pub(crate) pace: Pace,
    pub(crate) suspects: Suspects,
    pub(crate) reception: Reception,
    pub(crate) settlement: Settlement,
    /// Something was settled since the status was last published.
    pub(crate) unannounced: bool,
    pub(crate) without_room: WithoutRoom,
    pub(crate) replay: Replay,
    /// In the order in which it is to be done; what failed goes back to the front.
    pub(crate) work: VecDeque<Work>,
    pub(crate) version: Option<Arc<Version>>,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) subscription: Arc<Subscription>,
    pub(crate) running: JoinSet<Done>,
    /// Requests in flight.
    pub(crate) sending: usize,
    /// Chunks that are formatted again, or that were dead letters.
    pub(crate) formatting: usize,
    /// Requests that may not go yet.
    pub(crate) sends_waiting: usize,
    /// One for each batch that the SIEM has taken and not confirmed, the oldest first.
    pub(crate) questions: Vec<Question>,
    pub(crate) fetching: bool,
    pub(crate) next: u64,
    /// Nothing to read until something is appended.
    pub(crate) at_end: bool,
    /// One look at the log while the stream is broken, for a fresh event to probe with.
    pub(crate) look_once: bool,
    pub(crate) store_pause: Option<Instant>,
    /// The active version could not be adopted, and the reason may pass.
    pub(crate) adopt_again: Option<Instant>,
    commands: mpsc::Receiver<Command>,
    drain: CancellationToken,
}

impl Task {
    pub(crate) fn new(
        config: PipelineConfig,
        stages: Stages,
        status: watch::Sender<Status>,
        commands: mpsc::Receiver<Command>,
        drain: CancellationToken,
    ) -> Task {
        Task {
            health: Health::new(config.concurrency, config.retry.schedule.clone()),
            pace: Pace::new(config.events_per_second),
            suspects: Suspects::default(),
            reception: Reception::default(),
            settlement: empty_settlement(&config),
            unannounced: false,
            without_room: WithoutRoom::default(),
            replay: Replay::new(),
            work: VecDeque::new(),
            version: None,
            status,
            subscription: Arc::new(config.subscription.clone()),
            running: JoinSet::new(),
            sending: 0,
            formatting: 0,
            sends_waiting: 0,
            questions: Vec::new(),
            fetching: false,
            next: 0,
            at_end: false,
            look_once: false,
            store_pause: None,
            adopt_again: None,
            commands,
            drain,
            config,
            stages,
        }
    }

    pub(crate) async fn run(mut self) {
        let mut appended = self.stages.store.appended();
        let mut replays = self.stages.store.replay_requests();
        let mut plugin = self.stages.plugin.changes();
        plugin.mark_changed();
        loop {
            self.judge_withheld();
            self.settle().await;
            self.start_work();
            // What was given up without another attempt.
            self.settle().await;
            self.publish();
            match self.wake(&mut appended, &mut replays, &mut plugin).await {
                Wake::Done(Ok(done)) => self.finish(done),
                Wake::Done(Err(error)) => self.crashed(&error),
                Wake::Appended => self.at_end = false,
                Wake::PauseOver => self.pause_is_over(),
                Wake::StorePauseOver => self.store_pause = None,
                Wake::PaceAllows => {}
                Wake::RoomForDeadLetters => self.retry_dead_letters(),
                Wake::ReplayRequested => self.replay.requested(),
                Wake::SuspectsDue => self.retry_suspects(),
                Wake::TrialMayBeOver => self.suspects.withheld.look_later(Instant::now()),
                Wake::PluginChanged | Wake::AdoptionDue => self.adopt(Consent::Needed).await,
                Wake::Command(command) => self.obey(command).await,
                Wake::Drain => break,
            }
        }
        self.finish_in_flight().await;
    }

    async fn wake(
        &mut self,
        appended: &mut watch::Receiver<u64>,
        replays: &mut watch::Receiver<u64>,
        plugin: &mut watch::Receiver<u64>,
    ) -> Wake {
        let pause = self.health.paused_until(Instant::now());
        let pace = self.pace.free_at(Instant::now()).filter(|_| self.sends_waiting > 0);
        let room = self.without_room.retry_at();
        let (store_pause, adopt_again) = (self.store_pause, self.adopt_again);
        // A closed line is tried when its pause is over, and with it the suspects.
        let suspects_due = if pause.is_none() { self.suspects.retry_at() } else { None };
        let trial_may_be_over = self.suspects.withheld.look_at();
        tokio::select! {
            biased;
            () = self.drain.cancelled() => Wake::Drain,
            Some(done) = self.running.join_next() => Wake::Done(done),
            Some(command) = self.commands.recv() => Wake::Command(command),
            Ok(()) = plugin.changed() => Wake::PluginChanged,
            () = at(adopt_again) => Wake::AdoptionDue,
            () = at(pause) => Wake::PauseOver,
            () = at(store_pause) => Wake::StorePauseOver,
            () = at(pace) => Wake::PaceAllows,
            () = at(room) => Wake::RoomForDeadLetters,
            () = at(suspects_due) => Wake::SuspectsDue,
            () = at(trial_may_be_over) => Wake::TrialMayBeOver,
            Ok(()) = replays.changed() => Wake::ReplayRequested,
            Ok(()) = appended.changed(), if self.at_end => Wake::Appended,
        }
    }

    fn finish(&mut self, done: Done) {
        match done {
            Done::Fetched(Ok(fetched)) => self.fetched(fetched),
            Done::Fetched(Err(error)) => {
                self.fetching = false;
                self.store_failed(&error);
            }
            Done::Formatted(formatted) => {
                self.formatting -= 1;
                self.take_formatted(*formatted, true);
            }
            Done::Reframed(batches) => {
                for batch in batches.into_iter().rev() {
                    self.work.push_front(Work::Send(batch));
                }
            }
            Done::Answered(answered) => {
                self.sending -= 1;
                self.judge(*answered);
            }
            Done::Confirmed(answered, question) => self.confirmed(*answered, &question),
            Done::Replays(found) => self.replays_found(found),
            Done::Probed => {}
            Done::Tested(report, answer) => self.tested(*report, answer),
        }
    }

    /// What an operator has just seen to work need not wait for the end of a pause.
    fn tested(&mut self, report: TestReport, answer: oneshot::Sender<TestReport>) {
        if report.ok {
            self.health.start_afresh();
        }
        // Whoever asked may have gone.
        drop(answer.send(report));
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
        self.status.send_modify(|status| {
            status.formatting_cpu_us += u64::try_from(formatted.cpu.as_micros()).unwrap_or(u64::MAX);
            status.peak_guest_memory_bytes = status.peak_guest_memory_bytes.max(formatted.peak_memory_bytes);
        });
        if self.has_given_way(&formatted) {
            // As it came, and not in the parts that it was taken into: they would become a request each.
            formatted.whole.into_iter().for_each(|whole| self.format_chunk_anew(whole));
            return;
        }
        let sends = formatted.batches.into_iter().map(Work::Send);
        if again {
            sends.rev().for_each(|send| self.work.push_front(send));
        } else {
            self.work.extend(sends);
        }
        if formatted.formatter_rejected_all {
            self.suspects.accuse_formatter();
        }
        if let Some(version) = &formatted.version {
            formatted.given_up.into_iter().for_each(|suspect| self.give_up(version, suspect));
            formatted.suspects.into_iter().for_each(|suspect| self.accuse(version, suspect));
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
        self.formatting = 0;
        self.questions.clear();
        self.replay = Replay::new();
        self.fetching = false;
        self.next = 0;
        self.at_end = false;
        self.store_pause = Some(Instant::now() + STORE_PAUSE);
    }

    fn pause_is_over(&mut self) {
        self.probe_broken_stream();
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Test(answer) => {
                let (stages, config, version) =
                    (self.stages.clone(), self.config.clone(), self.version.clone());
                self.running.spawn(async move {
                    let report = test_event::run(&stages, &config, version).await;
                    Done::Tested(Box::new(report), answer)
                });
            }
            Command::Promote(answer) => {
                // Whoever asked may have gone.
                answer.send(self.promote().await).unwrap_or_default();
            }
            Command::Probe(answer) => {
                let (stages, config) = (self.stages.clone(), self.config.clone());
                // Whoever asked may have gone.
                self.running.spawn(async move {
                    let Stages { sandbox, plugin, target, .. } = &stages;
                    drop(answer.send(probe(&config, sandbox, plugin, target).await));
                    Done::Probed
                });
            }
        }
    }

    /// Requests in flight are waited for and settled; everything else is still in the log.
    async fn finish_in_flight(&mut self) {
        self.work.clear();
        while self.sending + self.questions.len() > 0 {
            match self.running.join_next().await {
                Some(Ok(done @ (Done::Answered(_) | Done::Confirmed(..)))) => self.finish(done),
                Some(_) => {}
                None => break,
            }
        }
        self.store_pause = None;
        self.settle().await;
        self.publish();
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

//! What a task starts: requests first, then formatting, then reading ahead, each as far as its limits allow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use siemaphore_delivery::Cookies;
use siemaphore_model::formatter::Pending;

use crate::batch::Batch;
use crate::chunk::{Chunk, Lane};
use crate::confirming::{Patience, Question, Unconfirmed, confirm};
use crate::formatting::{Formatted, format};
use crate::reading::fetch;
use crate::sending::{now_ms, send};
use crate::suspects::Trial;
use crate::task::{Done, Task, Work};

/// Batches that may wait for a confirmation, for each request that may be in flight. With the batches in flight and in
/// the queue this bounds the memory of a destination.
const UNCONFIRMED_PER_REQUEST: usize = 8;

impl Task {
    pub(crate) fn start_work(&mut self) {
        if self.store_pause.is_some() {
            return;
        }
        self.sends_waiting = 0;
        let mut formats_waiting = 0;
        let mut later = VecDeque::new();
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::Send(batch) if !self.is_ours(&batch.formatted.version) => {
                    self.work.push_front(Work::Format(batch.chunk(), Trial::First));
                }
                Work::Send(batch) if self.is_too_old_to_try(&batch) => self.give_up_for_age(&batch),
                Work::Send(batch) if self.may_send() => self.launch(batch),
                Work::Send(batch) => {
                    self.sends_waiting += 1;
                    later.push_back(Work::Send(batch));
                }
                Work::Format(chunk, trial) if self.may_format() => self.launch_formatting(chunk, trial),
                Work::Format(chunk, trial) => {
                    formats_waiting += 1;
                    later.push_back(Work::Format(chunk, trial));
                }
                Work::Halve(batch) => self.launch_framing(move || batch.halve()),
                Work::Reframe(batch, records) => self.launch_framing(move || batch.reframe(records)),
            }
        }
        self.work = later;
        // Enough to keep every request slot busy while the next look is under way, and no more: this is what bounds
        // the memory of a destination. What is formatted again counts, or a formatter that only uses up its time would
        // have the whole log read into memory.
        if self.sends_waiting + formats_waiting + self.formatting < self.config.concurrency {
            self.launch_fetch();
            self.look_for_replays();
        }
    }

    fn may_send(&self) -> bool {
        let now = Instant::now();
        self.health.permits(self.sending, self.questions.len(), now)
            && self.pace.free_at(now).is_none()
            && self.questions.len() < self.config.concurrency.saturating_mul(UNCONFIRMED_PER_REQUEST)
    }

    /// Not during a pause: it is the formatter that may have asked for it, by using up its time.
    fn may_format(&self) -> bool {
        self.version.is_some() && self.health.paused_until(Instant::now()).is_none()
    }

    /// While requests fail for now, what is past the age to give up need not be tried. Letters are old by nature.
    fn is_too_old_to_try(&self, batch: &Batch) -> bool {
        let fails = self.health.trouble().is_some_and(|trouble| !trouble.holding);
        let oldest_ns = self.config.retry.give_up.oldest_ns(now_ms()).filter(|_| fails);
        batch.lane() == Lane::Log
            && oldest_ns.is_some_and(|oldest| batch.received_before(oldest).len() == batch.members.len())
    }

    fn launch(&mut self, mut batch: Batch) {
        self.sending += 1;
        batch.sent_at = self.suspects.successes();
        self.pace.took(batch.members.len(), Instant::now());
        let stages = self.stages.clone();
        self.running.spawn(async move { Done::Answered(Box::new(send(&stages, batch).await)) });
    }

    pub(crate) fn launch_confirmation(&mut self, batch: Batch, pending: Pending, cookies: Cookies) {
        let question = Question::new(&batch, &pending, &cookies);
        self.questions.iter().for_each(|earlier| earlier.yield_to(&question));
        self.questions.push(question.clone());
        let unconfirmed = Unconfirmed { batch, pending, cookies, question: question.clone() };
        let stages = self.stages.clone();
        self.running.spawn(async move {
            let answered = confirm(&stages, unconfirmed, Patience::OF_THE_CONTRACT).await;
            Done::Confirmed(Box::new(answered), question)
        });
    }

    fn launch_formatting(&mut self, chunk: Chunk, trial: Trial) {
        let Some(version) = self.version.clone() else { return };
        self.formatting += 1;
        let sandbox = self.stages.sandbox.clone();
        self.running.spawn(async move {
            let spare = chunk.clone();
            let formatted = format(&sandbox, &version, chunk, trial).await;
            Done::Formatted(Box::new(
                formatted.unwrap_or_else(|_| Formatted { postponed: vec![spare], ..Formatted::default() }),
            ))
        });
    }

    /// Framing compresses, so it has no place on an async thread.
    fn launch_framing(&mut self, work: impl FnOnce() -> Vec<Batch> + Send + 'static) {
        let sandbox = self.stages.sandbox.clone();
        self.running.spawn(async move { Done::Reframed(sandbox.run(work).await.unwrap_or_default()) });
    }

    fn launch_fetch(&mut self) {
        let Some(version) = self.version.clone() else { return };
        if self.fetching || self.at_end || !self.without_room.is_empty() {
            return;
        }
        if self.suspects.stream_is_broken() && !self.look_once {
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
}

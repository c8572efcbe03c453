//! The ways to the dead letters: judged guilty, tried often enough, too old, or lost by the SIEM without saying which.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::batch::Batch;
use crate::chunk::{Chunk, Lane};
use crate::health::Trouble;
use crate::sending::now_ms;
use crate::suspects::{Cause, Suspect, Trial};
use crate::task::{Task, Work};
use crate::version::Version;

const WITHHELD_HINT: &str = "`siemaphore plugin list` shows whether the version is still new";
const TRIED_HINT: &str = "mend the cause, then `siemaphore dead-letters replay --destination NAME --all`";

impl Task {
    /// Tries a batch again, unless the operator wants it given up by now.
    pub(crate) fn retry(&mut self, mut batch: Batch, after: Option<Duration>, trouble: Trouble) {
        batch.retries = batch.retries.saturating_add(1);
        if self.config.retry.give_up.after_attempts(batch.retries) {
            let cause = match batch.retries {
                1 => format!("given up after the first attempt: {}", trouble.reason),
                retries => format!("given up after {retries} attempts: {}", trouble.reason),
            };
            self.give_up_all(&batch, &cause);
            // The next events have the whole schedule before them, not the end of this one.
            self.health.start_afresh();
            self.note_failure(&trouble.reason, &trouble.hint);
            self.pause_for(after, trouble);
        } else {
            self.send_what_is_young(batch, &trouble.reason);
            self.fail(after, trouble);
        }
    }

    fn send_what_is_young(&mut self, batch: Batch, reason: &str) {
        let oldest_ns = self.config.retry.give_up.oldest_ns(now_ms()).filter(|_| batch.lane() == Lane::Log);
        let old = oldest_ns.map(|oldest| batch.received_before(oldest)).unwrap_or_default();
        if old.is_empty() {
            self.send_later(batch);
            return;
        }
        let cause = format!("not delivered within the age to give up: {reason}");
        self.dead_letter_each(&batch, &batch.part(&old), &cause, TRIED_HINT);
        let young: Vec<usize> =
            (0..batch.members.len()).filter(|record| old.binary_search(record).is_err()).collect();
        if !young.is_empty() {
            self.work.push_front(Work::Reframe(batch, young));
        }
    }

    /// The whole batch is past its age while requests fail.
    pub(crate) fn give_up_for_age(&mut self, batch: &Batch) {
        let reason = self.health.trouble().map(|trouble| trouble.reason.clone()).unwrap_or_default();
        self.give_up_all(batch, &format!("not delivered within the age to give up: {reason}"));
    }

    fn give_up_all(&mut self, batch: &Batch, cause: &str) {
        let (destination, events) = (&self.config.destination, batch.members.len());
        tracing::warn!(destination, events, cause, hint = TRIED_HINT, "a batch goes to the dead letters");
        self.dead_letter_each(batch, &batch.chunk(), cause, TRIED_HINT);
    }

    pub(crate) fn send_later(&mut self, batch: Batch) {
        self.work.push_front(Work::Send(batch));
    }

    /// Dead-letters one event, or withholds it while its version is new.
    pub(crate) fn give_up(&mut self, version: &Arc<Version>, suspect: Suspect) {
        if suspect.chunk.lane() == Lane::Log && self.may_yet_give_way(version) {
            let (reason, hint) = (&suspect.reason, &suspect.hint);
            tracing::warn!(
                destination = self.config.destination,
                reason,
                hint,
                "an event is withheld while the formatter's version is new"
            );
            self.withhold(version, suspect);
        } else {
            self.condemn(version, suspect);
        }
    }

    fn withhold(&mut self, version: &Version, suspect: Suspect) {
        let reason = &suspect.reason;
        let reason =
            format!("an event is withheld until this version has proven itself, or goes back: {reason}");
        self.note_failure(&reason, WITHHELD_HINT);
        for oldest in self.suspects.withheld.keep(suspect, Instant::now()) {
            self.condemn(version, oldest);
        }
    }

    /// What was withheld is given up as soon as its version has proven itself.
    pub(crate) fn judge_withheld(&mut self) {
        if self.suspects.withheld.len() == 0 {
            return;
        }
        let Some(version) = self.version.clone() else { return };
        if !self.may_yet_give_way(&version) {
            for suspect in self.suspects.withheld.release_all() {
                self.condemn(&version, suspect);
            }
        }
    }

    fn condemn(&mut self, version: &Version, suspect: Suspect) {
        let Suspect { chunk, reason, hint, attempts, .. } = suspect;
        tracing::warn!(
            destination = self.config.destination,
            reason,
            hint,
            "an event goes to the dead letters"
        );
        self.dead_letter(version, &chunk, &reason, &hint, &attempts);
    }

    /// The SIEM lost some of these and does not say which: sending them again would duplicate the others. That is the
    /// lesser harm when they were lost by a version that has given way for it.
    pub(crate) fn give_up_batch(&mut self, batch: &Batch, lost: u32, reason: &str) {
        let events = batch.members.len();
        if self.refused(&batch.formatted.version, batch.lane(), lost as usize) {
            self.format_batch_anew(batch, events.saturating_sub(lost as usize));
            return;
        }
        tracing::warn!(
            destination = self.config.destination,
            lost,
            events,
            reason,
            "the SIEM has lost events of a request and does not say which"
        );
        let cause =
            format!("the SIEM lost {lost} of {events} events of a request and did not say which: {reason}");
        let hint = "compare with what the SIEM has before replaying: some of these have arrived";
        let version = &batch.formatted.version;
        if batch.lane() == Lane::Replay || !self.may_yet_give_way(version) {
            self.dead_letter_each(batch, &batch.chunk(), &cause, hint);
            return;
        }
        for chunk in batch.chunk().singles() {
            let (reason, hint, attempts) = (cause.clone(), hint.to_owned(), batch.attempts.clone());
            let (cause, trial) = (Cause::Destination, Trial::Last);
            self.withhold(version, Suspect { chunk, cause, reason, hint, attempts, trial });
        }
    }

    fn dead_letter_each(&mut self, batch: &Batch, events: &Chunk, cause: &str, hint: &str) {
        for event in events.singles() {
            self.dead_letter(&batch.formatted.version, &event, cause, hint, &batch.attempts);
        }
    }
}

//! What follows from an answer: settle, send again, cut smaller, set apart, or stop for a while.

use std::sync::Arc;
use std::time::{Duration, Instant};

use siemaphore_delivery::Decision;
use siemaphore_model::formatter::{Fate, Note, Run};

use crate::batch::Batch;
use crate::chunk::Lane;
use crate::confirming::Question;
use crate::health::Trouble;
use crate::sending::{Answered, now_ms};
use crate::status::Failure;
use crate::suspects::{Cause, LONE_FAILURES_IN_A_ROW, Suspect, Trial};
use crate::task::{Task, Work};
use crate::version::Version;

const REFUSED_HINT: &str = "see the SIEM's message; change the formatter's settings or the producer";

/// So many suspects are enough to know that a stream is broken; no more are made while it is.
const SUSPECTS_WHILE_BROKEN: usize = 64;

impl Task {
    /// Acts on one answer.
    pub(crate) fn judge(&mut self, answered: Answered) {
        self.count(&answered.decision, answered.sent_bytes);
        if self.has_given_way_to(&answered) {
            self.format_batch_anew(&answered.batch, answered.may_be_kept());
            return;
        }
        let Answered { batch, decision, status, cookies, .. } = answered;
        match decision {
            Decision::Delivered { note } => {
                self.gone_through(&batch.formatted.version, batch.members.len());
                self.delivered(&batch.formatted.version, batch.lane(), batch.places().collect());
                self.heed(note);
            }
            Decision::Partial { fates, note } => {
                self.judge_each(batch, &fates);
                self.heed(note);
            }
            Decision::Retry { after, reason, hint } => {
                self.reception.interrupted();
                self.retry(batch, after, Trouble { reason, hint, holding: false });
            }
            Decision::Hold { reason, hint } => {
                self.held(&batch.formatted.version, status, &reason);
                self.send_later(batch);
                self.fail(None, Trouble { reason, hint, holding: true });
            }
            Decision::Split { reason, hint } | Decision::Rejected { reason, hint } => {
                self.isolate(batch, reason, hint);
            }
            Decision::Uncertain { lost, reason } => self.give_up_batch(&batch, lost, &reason),
            Decision::Pending(pending) => {
                // It takes events; whether it keeps them is another question.
                self.health.taken();
                self.launch_confirmation(batch, pending, cookies);
            }
        }
    }

    /// The end of the questions about a batch that the SIEM had taken.
    pub(crate) fn confirmed(&mut self, answered: Answered, question: &Question) {
        self.questions.retain(|open| !open.is_same(question));
        // Sent again, although the SIEM may have kept the first.
        if matches!(
            answered.decision,
            Decision::Retry { .. } | Decision::Hold { .. } | Decision::Split { .. }
        ) {
            self.settlement.duplicates += answered.batch.members.len() as u64;
            self.health.not_confirmed();
        }
        self.judge(answered);
    }

    fn count(&self, decision: &Decision, sent_bytes: usize) {
        let taken =
            matches!(decision, Decision::Delivered { .. } | Decision::Partial { .. } | Decision::Pending(_));
        self.status.send_modify(|status| {
            status.requests += 1;
            if taken {
                status.delivered_bytes += sent_bytes as u64;
            } else {
                status.failed_requests += 1;
            }
        });
    }

    /// Events have arrived: that settles them, opens the line, and shows who is to blame for earlier lone failures.
    fn delivered(&mut self, version: &Arc<Version>, lane: Lane, places: Vec<u64>) {
        let delivered = places.len() as u64;
        self.settle_delivered(lane, places);
        self.health.succeeded();
        if self.is_ours(version) {
            self.judge_suspects(version);
        }
        self.status.send_modify(|status| {
            status.delivered_events += delivered;
            status.last_success_ms = Some(now_ms());
        });
    }

    /// Others have gone through with the same version.
    fn judge_suspects(&mut self, version: &Arc<Version>) {
        let was_broken = self.suspects.stream_is_broken();
        let ruling = self.suspects.something_went_through();
        // When the whole stream had failed, the formatter's surroundings were mended: everybody gets another chance.
        let (guilty, again) =
            if was_broken { (Vec::new(), ruling.guilty) } else { (ruling.guilty, Vec::new()) };
        for suspect in guilty {
            self.give_up(version, suspect);
        }
        for suspect in ruling.retry.into_iter().chain(again) {
            self.work.push_back(Work::Format(suspect.chunk, suspect.trial));
        }
    }

    /// A note asks for a rest or for attention.
    fn heed(&mut self, note: Option<Note>) {
        let Some(note) = note else { return };
        tracing::warn!(
            destination = self.config.destination,
            reason = note.reason,
            hint = note.hint,
            "the SIEM has taken the events, and says something"
        );
        if let Some(pause) = note.pause_ms {
            self.health.pause(Duration::from_millis(pause), Instant::now());
        }
    }

    /// An answer that differs from record to record.
    fn judge_each(&mut self, batch: Batch, fates: &[Run]) {
        let mut delivered = Vec::new();
        let mut duplicates = 0;
        let mut retry = Vec::new();
        let mut rejected = Vec::new();
        for run in fates {
            let records = (run.first as usize..).take(run.count as usize);
            match &run.fate {
                Fate::Delivered => delivered.extend(records.filter_map(|record| batch.place(record))),
                Fate::Duplicate => {
                    duplicates += u64::from(run.count);
                    delivered.extend(records.filter_map(|record| batch.place(record)));
                }
                Fate::Retry => retry.extend(records),
                Fate::Rejected(reason) => rejected.extend(records.map(|record| (record, reason.clone()))),
            }
        }
        self.settlement.duplicates += duplicates;
        let progress = !delivered.is_empty();
        self.gone_through(&batch.formatted.version, delivered.len());
        let version = Arc::clone(&batch.formatted.version);
        if progress {
            self.delivered(&version, batch.lane(), delivered);
        }
        if !progress && retry.is_empty() && rejected.len() > 1 {
            let reason = rejected.into_iter().next().map(|(_, reason)| reason).unwrap_or_default();
            self.isolate(batch, reason, REFUSED_HINT.to_owned());
            return;
        }
        self.refused(&version, batch.lane(), rejected.len());
        for (record, reason) in rejected {
            let Some(chunk) = batch.single(record) else { continue };
            // The SIEM took others of the same request, so it is this event that it does not want.
            let trial = if progress { Trial::Last } else { batch.trial };
            let attempts = batch.attempts.clone();
            let hint = REFUSED_HINT.to_owned();
            self.accuse(
                &version,
                Suspect { chunk, cause: Cause::Destination, reason, hint, attempts, trial },
            );
        }
        if !retry.is_empty() {
            self.work.push_front(Work::Reframe(batch, retry));
        }
    }

    /// The SIEM refuses a request for what is in it: find the event.
    fn isolate(&mut self, mut batch: Batch, reason: String, hint: String) {
        let refused_at = *batch.refused_at.get_or_insert(self.suspects.successes());
        if batch.members.len() > 1 {
            if self.suspects.stream_is_broken() && batch.lane() == Lane::Log {
                // Halving would only make more suspects. Single events probe; the rest waits.
                self.work.push_back(Work::Send(batch));
                self.fail(None, Trouble { reason, hint, holding: true });
            } else {
                let (destination, events) = (&self.config.destination, batch.members.len());
                tracing::warn!(
                    destination,
                    events,
                    reason,
                    hint,
                    "a request was refused; sending it in halves"
                );
                self.work.push_front(Work::Halve(batch));
            }
            return;
        }
        let version = Arc::clone(&batch.formatted.version);
        self.refused(&version, batch.lane(), 1);
        let proven = self.suspects.is_proof(refused_at, batch.sent_at);
        let trial = if proven { Trial::Last } else { batch.trial };
        let chunk = batch.chunk();
        let attempts = batch.attempts;
        self.accuse(&version, Suspect { chunk, cause: Cause::Destination, reason, hint, attempts, trial });
    }

    /// An event has failed alone, with this version.
    pub(crate) fn accuse(&mut self, version: &Arc<Version>, suspect: Suspect) {
        if !self.is_ours(version) {
            // The version that formats now may have no trouble with it.
            self.format_chunk_anew(suspect.chunk);
            return;
        }
        if suspect.chunk.lane() == Lane::Replay {
            self.give_up(version, suspect);
            return;
        }
        let (reason, hint) = (suspect.reason.clone(), suspect.hint.clone());
        let key = suspect.chunk.key_of_only().map(|key| key.to_string()).unwrap_or_default();
        let is_new = suspect.trial == Trial::First;
        if let Some(guilty) = self.suspects.accuse(suspect, Instant::now()) {
            self.give_up(version, guilty);
        } else if self.suspects.stream_is_broken() {
            let reason = format!(
                "{LONE_FAILURES_IN_A_ROW} events in a row failed one by one, lastly event {key}: {reason}"
            );
            self.stream_failed(&reason);
            let trouble = Trouble { reason, hint, holding: true };
            if self.suspects.is_break_news() {
                self.fail(None, trouble);
            } else {
                // The log has it already, and there may be a thousand more.
                self.note_failure(&trouble.reason, &trouble.hint);
                self.pause_for(None, trouble);
            }
        } else {
            let reason = format!("an event failed, and no other has gone through since: {reason}");
            if is_new {
                let destination = &self.config.destination;
                tracing::warn!(destination, reason, hint, "an event is set apart until another goes through");
            }
            self.note_failure(&reason, &hint);
        }
    }

    /// The line is open again after a pause: while the stream is broken, single events go first.
    pub(crate) fn probe_broken_stream(&mut self) {
        if !self.suspects.stream_is_broken() {
            return;
        }
        let newest =
            (0..self.work.len()).rev().find(|&index| matches!(self.work.get(index), Some(Work::Send(_))));
        match newest.and_then(|index| self.work.remove(index)) {
            Some(Work::Send(batch)) if self.suspects.len() < SUSPECTS_WHILE_BROKEN => {
                self.probe_with_last_of(batch)
            }
            Some(work) => self.work.push_back(work),
            None => self.look_once = true,
        }
        self.retry_suspects();
    }

    fn probe_with_last_of(&mut self, batch: Batch) {
        let last = batch.members.len().saturating_sub(1);
        let newest = batch.single(last);
        if last > 0 {
            self.work.push_back(Work::Reframe(batch, (0..last).collect()));
        }
        if let Some(newest) = newest {
            self.work.push_front(Work::Format(newest, Trial::First));
        }
    }

    /// Sends the oldest and the newest suspect again, to see whether the stream flows.
    pub(crate) fn retry_suspects(&mut self) {
        for suspect in self.suspects.release_probes() {
            self.work.push_front(Work::Format(suspect.chunk, suspect.trial));
        }
    }

    pub(crate) fn fail(&mut self, after: Option<Duration>, trouble: Trouble) {
        tracing::warn!(
            destination = self.config.destination,
            reason = trouble.reason,
            hint = trouble.hint,
            holding = trouble.holding,
            "delivery failed; it will be tried again"
        );
        self.note_failure(&trouble.reason, &trouble.hint);
        self.pause_for(after, trouble);
    }

    /// Sends nothing for as long as was asked for, or as the schedule says.
    pub(crate) fn pause_for(&mut self, after: Option<Duration>, trouble: Trouble) {
        self.health.failed(after, fastrand::f64(), Instant::now(), trouble);
    }

    pub(crate) fn note_failure(&self, reason: &str, hint: &str) {
        let failure = Failure { at_ms: now_ms(), reason: reason.to_owned(), hint: hint.to_owned() };
        self.status.send_modify(|status| status.last_error = Some(failure));
    }
}

//! What a version's work says about the version. The registry weighs it, over all destinations that use the plugin; when
//! the version is new and worse than the one before, that one formats again, and nothing is given up for it.
//!
//! Only what the version that formats now has made is judged. What another one made, because it was sent back or
//! replaced meanwhile, is formatted anew, unless it has arrived.

use std::sync::Arc;
use std::time::Instant;

use siemaphore_registry::Outcome;

use crate::batch::Batch;
use crate::chunk::{Chunk, Lane};
use crate::formatting::Formatted;
use crate::reception::blames_the_request;
use crate::sending::Answered;
use crate::suspects::Trial;
use crate::task::{Task, Work};
use crate::version::Version;

impl Task {
    pub(crate) fn gone_through(&mut self, version: &Version, events: usize) {
        if events > 0 {
            self.reception.gone_through(&version.active.digest);
            self.report(version, Outcome::GoneThrough(events as u64));
        }
    }

    /// True when the version has given way. What was a dead letter before says nothing: the version before may have failed
    /// on it as well.
    pub(crate) fn refused(&mut self, version: &Version, lane: Lane, events: usize) -> bool {
        events > 0 && lane == Lane::Log && self.report(version, Outcome::Refused(events as u64))
    }

    /// A request is held. The version has failed when none of its requests is taken, and another version's were.
    pub(crate) fn held(&mut self, version: &Version, status: Option<u16>, reason: &str) {
        if !status.is_some_and(blames_the_request) {
            self.reception.interrupted();
            return;
        }
        // Requests that were in flight together are refused together: that is one refusal.
        let is_next = self.health.paused_until(Instant::now()).is_none();
        if is_next && self.reception.held(&version.active.digest) {
            let reason = format!("none of its requests is taken, as the previous version's were: {reason}");
            self.report(version, Outcome::Failed(&reason));
        }
    }

    /// Nothing goes through any more.
    pub(crate) fn stream_failed(&mut self, reason: &str) {
        if let Some(version) = self.version.clone() {
            self.report(&version, Outcome::Failed(reason));
        }
    }

    /// Whether this version is the one that formats now.
    pub(crate) fn is_ours(&self, version: &Arc<Version>) -> bool {
        self.version.as_ref().is_some_and(|own| Arc::ptr_eq(own, version))
    }

    /// Whether what fails with this version may yet be formatted by another one: it is new, or another one is about to be
    /// taken up.
    pub(crate) fn may_yet_give_way(&self, version: &Arc<Version>) -> bool {
        let plugin = &self.stages.plugin;
        if plugin.active().is_some_and(|active| Arc::ptr_eq(&active, &version.active)) {
            plugin.is_on_trial(&version.active)
        } else {
            self.is_ours(version) && self.status.borrow().not_adopted.is_none()
        }
    }

    /// Whether these records are of a version that does not format any more, perhaps because of them.
    pub(crate) fn has_given_way(&mut self, formatted: &Formatted) -> bool {
        let (Some(version), Some(whole)) = (formatted.version.clone(), &formatted.whole) else {
            return false;
        };
        if let Some(reason) = formatted.broke.as_ref().filter(|_| whole.lane() == Lane::Log) {
            self.report(&version, Outcome::Failed(reason));
        }
        self.refused(&version, whole.lane(), formatted.refused);
        !self.is_ours(&version)
    }

    /// Whether the formatter broke on this answer and gave way for it: only the version that returns can tell what the
    /// answer to a request of its own means.
    pub(crate) fn has_given_way_to(&mut self, answered: &Answered) -> bool {
        let Answered { batch, broke, .. } = answered;
        broke.as_deref().is_some_and(|reason| self.report(&batch.formatted.version, Outcome::Failed(reason)))
    }

    /// The events of a request once more, with the version that formats then. The SIEM may have kept so many.
    pub(crate) fn format_batch_anew(&mut self, batch: &Batch, kept: usize) {
        self.settlement.duplicates += kept as u64;
        self.format_chunk_anew(batch.chunk());
    }

    pub(crate) fn format_chunk_anew(&mut self, chunk: Chunk) {
        self.work.push_back(Work::Format(chunk, Trial::First));
    }

    /// True when the version was sent back, now or before. Nothing is formatted then until the one that is active instead
    /// is taken up, for which the registry wakes this task.
    fn report(&mut self, version: &Version, outcome: Outcome<'_>) -> bool {
        let sent_back = self.stages.plugin.report(&version.active, outcome);
        let is_ours = self.version.as_ref().is_some_and(|own| own.active.digest == version.active.digest);
        if sent_back && is_ours {
            self.version = None;
            self.status.send_modify(|status| {
                status.plugin_version = None;
                status.plugin_digest = None;
            });
        }
        sent_back
    }
}

//! What a version's work says about the version. The registry weighs it, over all destinations that use the plugin; when
//! the version is new and worse than the one before, that one formats again, and nothing is given up for it.

use siemaphore_registry::Outcome;

use crate::formatting::Formatted;
use crate::suspects::Trial;
use crate::task::{Task, Work};
use crate::version::Version;

impl Task {
    pub(crate) fn gone_through(&mut self, version: &Version, events: usize) {
        if events > 0 {
            self.report(version, Outcome::GoneThrough(events as u64));
        }
    }

    pub(crate) fn refused(&mut self, version: &Version, events: usize) {
        if events > 0 {
            self.report(version, Outcome::Refused(events as u64));
        }
    }

    /// Nothing goes through any more.
    pub(crate) fn stream_failed(&mut self, reason: &str) {
        if let Some(version) = self.version.clone() {
            self.report(&version, Outcome::Failed(reason));
        }
    }

    /// Whether these records are of a version that does not format any more, perhaps because of them.
    pub(crate) fn has_given_way(&mut self, formatted: &Formatted) -> bool {
        let Some(version) = formatted.version.clone() else { return false };
        let broke =
            formatted.broke.as_deref().is_some_and(|reason| self.report(&version, Outcome::Failed(reason)));
        // What is too large for the SIEM was made so by the formatter.
        let refused = formatted.rejected + formatted.given_up.len() as u64;
        broke || (refused > 0 && self.report(&version, Outcome::Refused(refused)))
    }

    /// Everything once more, with the version that formats then.
    pub(crate) fn format_anew(&mut self, formatted: Formatted) {
        let Formatted { batches, suspects, given_up, postponed, .. } = formatted;
        let chunks = batches.iter().map(|batch| batch.chunk());
        let lone = suspects.into_iter().chain(given_up).map(|suspect| suspect.chunk);
        let again: Vec<Work> =
            chunks.chain(lone).chain(postponed).map(|chunk| Work::Format(chunk, Trial::First)).collect();
        self.work.extend(again);
    }

    /// True when the version was sent back, now or before. Nothing is formatted then until the one that is active instead
    /// is taken up, for which the registry wakes this task.
    fn report(&mut self, version: &Version, outcome: Outcome<'_>) -> bool {
        let sent_back = self.stages.plugin.report(&version.active, outcome);
        let is_ours = self.version.as_ref().is_some_and(|own| own.active.digest == version.active.digest);
        if sent_back && is_ours {
            self.version = None;
        }
        sent_back
    }
}

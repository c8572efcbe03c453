//! Events that were accepted although they follow a version of their producer's schema that the profile does not know.
//!
//! What changed may be where a field is, so that severity or user are not found any more: an operator should look.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use siemaphore_model::normalise::UnknownVersion;

/// So many are told apart. A version is a text of the event, and so may be another in each.
const TOLD_APART: usize = 16;
const OTHERS: &str = "others";

/// How many events there were of each version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct UnknownVersions(BTreeMap<String, usize>);

impl UnknownVersions {
    pub(crate) fn add(&mut self, unknown: &UnknownVersion, events: usize) {
        self.count(&unknown.to_string(), events);
    }

    /// True for the first of a version, as far as they are told apart.
    fn count(&mut self, version: &str, events: usize) -> bool {
        if let Some(known) = self.0.get_mut(version) {
            *known += events;
            return false;
        }
        let is_told_apart = self.0.len() < TOLD_APART;
        let name = if is_told_apart { version } else { OTHERS };
        *self.0.entry(name.to_owned()).or_default() += events;
        is_told_apart
    }
}

/// Those of one source since the start.
#[derive(Debug, Default)]
pub(crate) struct SeenVersions(Mutex<UnknownVersions>);

impl SeenVersions {
    /// Each version is logged once.
    pub(crate) fn add(&self, source: &str, batch: &UnknownVersions) {
        if batch.0.is_empty() {
            return;
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (version, events) in &batch.0 {
            if seen.count(version, *events) {
                let hint = "look whether its fields are still found, with `siemaphore profile try`; docs/profiles.md";
                tracing::warn!(
                    source,
                    version,
                    hint,
                    "accepted an event of a version that its profile does not know"
                );
            }
        }
    }

    pub(crate) fn snapshot(&self) -> Vec<(String, u64)> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.0.iter().map(|(version, events)| (version.clone(), *events as u64)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_versions_there_are_no_more_than_a_few_are_told_apart() {
        let mut batch = UnknownVersions::default();
        for version in 0..100 {
            batch.count(&version.to_string(), 1);
            batch.count("7", 1);
        }
        let seen = SeenVersions::default();
        seen.add("gateway", &batch);
        seen.add("gateway", &batch);
        let counts = seen.snapshot();
        assert!(counts.len() <= TOLD_APART + 2, "{counts:?}");
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 400);
        assert!(counts.contains(&(OTHERS.to_owned(), 2 * (100 - 16))), "{counts:?}");
    }
}

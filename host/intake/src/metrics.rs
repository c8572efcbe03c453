//! What intake counts, for each source since the start.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug, Default)]
pub struct IntakeMetrics {
    unauthorized: AtomicU64,
    /// A source keeps its counters when the configuration is loaded anew.
    sources: Mutex<BTreeMap<String, Arc<SourceCounters>>>,
}

/// The counters of one source at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceSnapshot {
    pub source: String,
    /// Events appended to the log.
    pub accepted: u64,
    /// Events turned away.
    pub refused: u64,
    /// Values taken out of accepted events.
    pub redacted: u64,
    /// Bodies after decompression.
    pub bytes: u64,
    /// Requests whose events were stored before.
    pub repeated: u64,
    /// Requests turned away by the rate limit.
    pub rate_limited: u64,
}

impl IntakeMetrics {
    /// Requests without a valid token.
    pub fn unauthorized(&self) -> u64 {
        self.unauthorized.load(Ordering::Relaxed)
    }

    /// By the name of the source.
    pub fn snapshot(&self) -> Vec<SourceSnapshot> {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.iter().map(|(name, counters)| counters.snapshot(name)).collect()
    }

    pub(crate) fn count_unauthorized(&self) {
        self.unauthorized.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn of(&self, source: &str) -> Arc<SourceCounters> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(sources.entry(source.to_owned()).or_default())
    }
}

#[derive(Debug, Default)]
pub(crate) struct SourceCounters {
    pub(crate) accepted: Counter,
    pub(crate) refused: Counter,
    pub(crate) redacted: Counter,
    pub(crate) bytes: Counter,
    pub(crate) repeated: Counter,
    pub(crate) rate_limited: Counter,
}

impl SourceCounters {
    fn snapshot(&self, name: &str) -> SourceSnapshot {
        SourceSnapshot {
            source: name.to_owned(),
            accepted: self.accepted.get(),
            refused: self.refused.get(),
            redacted: self.redacted.get(),
            bytes: self.bytes.get(),
            repeated: self.repeated.get(),
            rate_limited: self.rate_limited.get(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

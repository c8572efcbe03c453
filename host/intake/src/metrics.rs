//! What intake counts, for each source since the start.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::refusals::{LastRefusal, Refusals};
use crate::unknown_versions::SeenVersions;

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
    /// When events were accepted last; 0 before the first.
    pub last_accepted_ms: u64,
    /// Events turned away.
    pub refused: u64,
    /// The same by every reason there is.
    pub refused_by: Vec<(&'static str, u64)>,
    pub last_refusal: Option<LastRefusal>,
    /// Accepted events of versions of their producer's schema that the profile does not know, by version.
    pub unknown_versions: Vec<(String, u64)>,
    /// Values taken out of accepted events.
    pub redacted: u64,
    /// Bodies after decompression.
    pub bytes: u64,
    /// Requests whose events were stored before.
    pub repeated: u64,
    /// Requests turned away by the rate limit.
    pub rate_limited: u64,
    /// Requests that were of this source, by the way they came.
    pub requests: Vec<(&'static str, u64)>,
    /// Requests of which nothing was taken, by the reasons that there were.
    pub refused_requests: Vec<(&'static str, u64)>,
    /// Signed requests whose signature is missing, old or of another body or secret.
    pub signature_failures: u64,
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
    last_accepted_ms: AtomicU64,
    pub(crate) refusals: Refusals,
    pub(crate) unknown_versions: SeenVersions,
    pub(crate) redacted: Counter,
    pub(crate) bytes: Counter,
    pub(crate) repeated: Counter,
    pub(crate) rate_limited: Counter,
    pub(crate) signature_failures: Counter,
    requests: [Counter; Way::ALL.len()],
    refused_requests: Mutex<BTreeMap<&'static str, u64>>,
}

/// How a request comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Events,
    Logs,
    Webhook,
}

impl Way {
    const ALL: [Way; 3] = [Way::Events, Way::Logs, Way::Webhook];

    fn name(self) -> &'static str {
        match self {
            Way::Events => "events",
            Way::Logs => "logs",
            Way::Webhook => "webhook",
        }
    }
}

impl SourceCounters {
    pub(crate) fn count_accepted(&self, events: usize) {
        if events > 0 {
            self.accepted.add(events);
            let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let now_ms = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
            self.last_accepted_ms.store(now_ms, Ordering::Relaxed);
        }
    }

    pub(crate) fn count_request(&self, way: Way) {
        if let Some(counter) = self.requests.get(way as usize) {
            counter.add(1);
        }
    }

    pub(crate) fn count_refused_request(&self, reason: &'static str) {
        let mut refused = self.refused_requests.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry(reason).or_default() += 1;
    }

    fn snapshot(&self, name: &str) -> SourceSnapshot {
        let refused_by = self.refusals.by_reason();
        let refused_requests = self.refused_requests.lock().unwrap_or_else(PoisonError::into_inner);
        SourceSnapshot {
            source: name.to_owned(),
            accepted: self.accepted.get(),
            last_accepted_ms: self.last_accepted_ms.load(Ordering::Relaxed),
            refused: refused_by.iter().map(|(_, count)| count).sum(),
            refused_by,
            last_refusal: self.refusals.last(),
            unknown_versions: self.unknown_versions.snapshot(),
            redacted: self.redacted.get(),
            bytes: self.bytes.get(),
            repeated: self.repeated.get(),
            rate_limited: self.rate_limited.get(),
            requests: Way::ALL.iter().zip(&self.requests).map(|(way, one)| (way.name(), one.get())).collect(),
            refused_requests: refused_requests.iter().map(|(name, count)| (*name, *count)).collect(),
            signature_failures: self.signature_failures.get(),
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

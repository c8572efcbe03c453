//! What a source says of itself while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Of one source. A server that refuses now and then could else fill the log; figures and the list of sources go on.
const LINES: u32 = 10;
const PERIOD: Duration = Duration::from_secs(60);

/// One source at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    pub source: String,
    /// As the configuration names it.
    pub kind: &'static str,
    /// Why it does not go on just now.
    pub problem: Option<String>,
    /// What the operator can do about the problem.
    pub hint: Option<String>,
    /// How often it could not go on since the start.
    pub problems: u64,
    /// Portions that were stored since the start.
    pub portions: u64,
    /// What is known to be there and was not read yet; for files only.
    pub lag_bytes: u64,
    /// Whether its stream is open just now; None for what is no stream.
    pub connected: Option<bool>,
    /// Requests that were made since the start; for a stream, how often it was opened.
    pub requests: u64,
    /// What was read and is not wanted, or was stored before.
    pub skipped: u64,
    /// When events were stored last, in seconds since 1970; 0 before the first.
    pub last_stored_s: u64,
}

/// Of all sources that fetch. Clones show the same.
#[derive(Clone, Default)]
pub struct Statuses(pub(crate) Arc<[Arc<Status>]>);

impl Statuses {
    pub fn snapshot(&self) -> Vec<SourceStatus> {
        self.0.iter().map(|status| status.snapshot()).collect()
    }
}

/// What is wrong, and what the operator can do.
#[derive(Clone)]
struct Known {
    problem: String,
    hint: String,
}

pub(crate) struct Status {
    source: String,
    kind: &'static str,
    problem: Mutex<Option<Known>>,
    /// A part of it cannot be read; the rest goes on.
    partial: Mutex<Option<Known>>,
    lines: Mutex<Lines>,
    problems: AtomicU64,
    portions: AtomicU64,
    lag_bytes: AtomicU64,
    connected: Mutex<Option<bool>>,
    requests: AtomicU64,
    skipped: AtomicU64,
    last_stored_s: AtomicU64,
}

/// How many lines were logged in this period.
#[derive(Default)]
struct Lines {
    since: Option<Instant>,
    logged: u32,
}

impl Lines {
    fn has_room(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= PERIOD) {
            (self.since, self.logged) = (Some(now), 0);
        }
        self.logged = self.logged.saturating_add(1);
        self.logged <= LINES
    }
}

impl Status {
    pub(crate) fn new(source: &str, kind: &'static str) -> Status {
        Status {
            source: source.to_owned(),
            kind,
            problem: Mutex::default(),
            partial: Mutex::default(),
            lines: Mutex::default(),
            problems: AtomicU64::new(0),
            portions: AtomicU64::new(0),
            lag_bytes: AtomicU64::new(0),
            connected: Mutex::default(),
            requests: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            last_stored_s: AtomicU64::new(0),
        }
    }

    /// Logged when it is another one than before, within bounds.
    pub(crate) fn problem(&self, problem: &str, hint: &str) {
        if self.is_other(&self.problem, problem, hint) && self.has_room_for_a_line() {
            tracing::warn!(source = self.source, problem, hint, "the source cannot go on");
        }
    }

    /// The same where the rest of the source goes on. None when all of it does.
    pub(crate) fn partial(&self, problem: Option<(&str, &str)>) {
        match problem {
            Some((problem, hint))
                if self.is_other(&self.partial, problem, hint) && self.has_room_for_a_line() =>
            {
                tracing::warn!(source = self.source, problem, hint, "a part of the source cannot be read");
            }
            Some(_) => {}
            None => *self.partial.lock().unwrap_or_else(PoisonError::into_inner) = None,
        }
    }

    fn has_room_for_a_line(&self) -> bool {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).has_room(Instant::now())
    }

    fn is_other(&self, known: &Mutex<Option<Known>>, problem: &str, hint: &str) -> bool {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = known.as_ref().is_none_or(|known| known.problem != problem);
        if is_other {
            self.problems.fetch_add(1, Ordering::Relaxed);
            *known = Some(Known { problem: problem.to_owned(), hint: hint.to_owned() });
        }
        is_other
    }

    pub(crate) fn well(&self) {
        let mut known = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Known { problem, .. }) = known.take()
            && self.has_room_for_a_line()
        {
            tracing::info!(source = self.source, was = problem, "the source goes on");
        }
    }

    pub(crate) fn stored(&self) {
        self.portions.fetch_add(1, Ordering::Relaxed);
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_stored_s.store(since_1970.as_secs(), Ordering::Relaxed);
    }

    pub(crate) fn lag(&self, bytes: u64) {
        self.lag_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn connected(&self, connected: bool) {
        *self.connected.lock().unwrap_or_else(PoisonError::into_inner) = Some(connected);
    }

    pub(crate) fn asked(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn skipped(&self, events: usize) {
        self.skipped.fetch_add(events as u64, Ordering::Relaxed);
    }

    fn snapshot(&self) -> SourceStatus {
        let (problem, hint) = shown(&self.problem)
            .or_else(|| shown(&self.partial))
            .map(|Known { problem, hint }| (problem, hint))
            .unzip();
        SourceStatus {
            source: self.source.clone(),
            kind: self.kind,
            problem,
            hint,
            problems: self.problems.load(Ordering::Relaxed),
            portions: self.portions.load(Ordering::Relaxed),
            lag_bytes: self.lag_bytes.load(Ordering::Relaxed),
            connected: *self.connected.lock().unwrap_or_else(PoisonError::into_inner),
            requests: self.requests.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            last_stored_s: self.last_stored_s.load(Ordering::Relaxed),
        }
    }
}

fn shown(problem: &Mutex<Option<Known>>) -> Option<Known> {
    problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_few_in_each_period() {
        let (mut lines, now) = (Lines::default(), Instant::now());
        let logged = (0..1000).filter(|_| lines.has_room(now)).count();
        assert_eq!(logged, LINES as usize);
        assert!(lines.has_room(now + PERIOD));
    }
}

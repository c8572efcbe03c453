//! What a source had refused: how much and why, the last of it, and a few lines in the log.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::batch::Refused;
use crate::reason::{Reason, Tally};

/// So many are logged one by one in each period; the rest of it as a number, when the next begins.
const LOGGED: usize = 5;
const PERIOD: Duration = Duration::from_secs(60);

/// What an operator reads of the last refusal. A reason names members of the event, which can be long.
const TEXT_CHARACTERS: usize = 500;

/// One refusal, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRefusal {
    pub at_ms: u64,
    pub reason: &'static str,
    /// What the producer was told; never a value of the event.
    pub text: String,
}

/// The events of one source that were refused since the start.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    tally: BTreeMap<&'static str, u64>,
    last: Option<LastRefusal>,
    period: Option<Instant>,
    logged: usize,
    unlogged: usize,
}

impl Refusals {
    /// `listed` may be fewer than the tally says.
    pub(crate) fn add(&self, tally: &Tally, listed: &[Refused]) {
        let Some(last) = listed.last() else { return };
        self.count(tally, last.why, &last.reason);
    }

    pub(crate) fn add_one(&self, reason: Reason, text: &str) {
        let mut tally = Tally::default();
        tally.add(reason);
        self.count(&tally, reason, text);
    }

    fn count(&self, tally: &Tally, reason: Reason, text: &str) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (reason, count) in tally.each().filter(|(_, count)| *count > 0) {
            *state.tally.entry(reason.name()).or_default() += count as u64;
        }
        let text = text.chars().take(TEXT_CHARACTERS).collect();
        state.last = Some(LastRefusal { at_ms: now_ms(), reason: reason.name(), text });
    }

    /// For events that were sent to us; who fetches them knows a better place than their number.
    pub(crate) fn log(&self, source: &str, count: usize, listed: &[Refused]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.period.is_none_or(|since| now.saturating_duration_since(since) >= PERIOD) {
            let more = std::mem::take(&mut state.unlogged);
            if more > 0 {
                tracing::warn!(source, more, "refused more events");
            }
            (state.period, state.logged) = (Some(now), 0);
        }
        let room = LOGGED.saturating_sub(state.logged);
        for Refused { index, reason, .. } in listed.iter().take(room) {
            tracing::warn!(source, index, reason, "refused an event");
        }
        let logged = listed.len().min(room);
        state.logged += logged;
        state.unlogged += count.saturating_sub(logged);
    }

    /// Every reason, also those that never were.
    pub(crate) fn by_reason(&self) -> Vec<(&'static str, u64)> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let each = Reason::ALL.iter().map(|reason| reason.name());
        each.map(|name| (name, state.tally.get(name).copied().unwrap_or_default())).collect()
    }

    pub(crate) fn last(&self) -> Option<LastRefusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last.clone()
    }
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

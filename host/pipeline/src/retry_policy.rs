//! What an operator decides about failures that pass: how long to wait, and when to stop trying.

use std::num::NonZeroU32;
use std::time::Duration;

use siemaphore_delivery::Schedule;

/// How requests that failed for now are tried again. By default for ever: events end by the age limit or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetryPolicy {
    pub schedule: Schedule,
    pub give_up: GiveUp,
}

/// When events go to the dead letters although trying again could help. Never for a failure that only an operator can
/// mend: a destination that is held keeps everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GiveUp {
    /// After so many attempts at an event. Counted from the start of the host, and anew for another version of the
    /// formatter.
    pub attempts: Option<NonZeroU32>,
    /// So long after the event was accepted. Looked at when a request fails, so it may take one wait longer.
    pub age: Option<Duration>,
}

impl RetryPolicy {
    /// Waits of 60 s, 120 s and 240 s, then the dead letters.
    pub fn three_retries() -> RetryPolicy {
        let waits = [60, 120, 240].map(Duration::from_secs).to_vec();
        let attempts = u32::try_from(waits.len() + 1).ok().and_then(NonZeroU32::new);
        RetryPolicy { schedule: Schedule::Fixed(waits), give_up: GiveUp { attempts, age: None } }
    }
}

impl GiveUp {
    /// Whether so many attempts are enough.
    pub(crate) fn after_attempts(&self, attempts: u32) -> bool {
        self.attempts.is_some_and(|limit| attempts >= limit.get())
    }

    /// What was received before this moment is too old to go on, if anything is.
    pub(crate) fn oldest_ns(&self, now_ms: u64) -> Option<u64> {
        let age_ms = u64::try_from(self.age?.as_millis()).unwrap_or(u64::MAX);
        Some(now_ms.saturating_sub(age_ms).saturating_mul(1_000_000))
    }
}

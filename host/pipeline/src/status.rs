//! What an operator sees of a destination.

use std::time::Instant;

use serde::Serialize;
use siemaphore_registry::Active;

use crate::health::Trouble;
use crate::sending::now_ms;
use crate::task::Task;
use crate::version::VersionError;

/// How a destination is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Events are on their way or have lately arrived.
    Active,
    /// Nothing to send.
    Idle,
    /// The last request failed; it is tried again.
    Failing,
    /// Every request would fail until somebody mends something. Nothing is given up; tried again slowly.
    Holding,
}

/// A failure and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub at_ms: u64,
    pub reason: String,
    pub hint: String,
}

/// The plugin's active version, where the destination does not format with it: it keeps the one that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotAdopted {
    pub version: String,
    pub digest: String,
    pub reason: String,
    pub hint: String,
    /// It asks for another request than was granted, which `promote` allows.
    pub waits_for_promotion: bool,
}

impl NotAdopted {
    pub(crate) fn because(error: &VersionError, active: &Active, plugin: &str) -> NotAdopted {
        NotAdopted {
            version: active.version.clone(),
            digest: active.digest.clone(),
            reason: error.to_string(),
            // A command that can be copied.
            hint: error.hint().replace("NAME", plugin),
            waits_for_promotion: matches!(error, VersionError::WaitsForPromotion { .. }),
        }
    }
}

/// A snapshot of one pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub state: State,
    pub last_success_ms: Option<u64>,
    pub last_error: Option<Failure>,
    /// Failed requests since the last success.
    pub failures: u32,
    pub next_attempt_ms: Option<u64>,
    /// Since the host started.
    pub delivered_events: u64,
    pub delivered_bytes: u64,
    pub requests: u64,
    pub failed_requests: u64,
    /// CPU time of the formatter since the host started, in microseconds.
    pub formatting_cpu_us: u64,
    /// The most memory that one batch of the formatter has used.
    pub peak_guest_memory_bytes: u64,
    /// Events that failed alone and are not judged yet, or are withheld from the dead letters while their version is new.
    pub suspects: usize,
    /// Batches that the SIEM has taken and not confirmed yet.
    pub waiting_for_confirmation: usize,
    /// Dead letters in hand, on their way again.
    pub replaying: u64,
    pub plugin_version: Option<String>,
    pub plugin_digest: Option<String>,
    /// The granted request line.
    pub request: Option<String>,
    pub not_adopted: Option<NotAdopted>,
}

impl Status {
    pub(crate) fn new() -> Status {
        Status {
            state: State::Idle,
            last_success_ms: None,
            last_error: None,
            failures: 0,
            next_attempt_ms: None,
            delivered_events: 0,
            delivered_bytes: 0,
            requests: 0,
            failed_requests: 0,
            formatting_cpu_us: 0,
            peak_guest_memory_bytes: 0,
            suspects: 0,
            waiting_for_confirmation: 0,
            replaying: 0,
            plugin_version: None,
            plugin_digest: None,
            request: None,
            not_adopted: None,
        }
    }
}

impl Task {
    /// Something other than a request failed.
    pub(crate) fn publish_failure(&mut self, trouble: Trouble) {
        tracing::warn!(
            destination = self.config.destination,
            reason = trouble.reason,
            hint = trouble.hint,
            "the destination has a problem"
        );
        self.status.send_modify(|status| {
            status.last_error =
                Some(Failure { at_ms: now_ms(), reason: trouble.reason.clone(), hint: trouble.hint.clone() });
            if trouble.holding {
                status.state = State::Holding;
            }
        });
    }

    /// Wakes whoever watches when the status has changed or events were settled.
    pub(crate) fn publish(&mut self) {
        let settled = std::mem::take(&mut self.unannounced);
        let state = self.state();
        let pause = self
            .health
            .paused_until(Instant::now())
            .map(|until| until.saturating_duration_since(Instant::now()));
        let next_attempt_ms = pause.and_then(|pause| Some(now_ms() + u64::try_from(pause.as_millis()).ok()?));
        let (failures, suspects, confirming) = (
            self.health.failures(),
            self.suspects.len() + self.suspects.withheld.len(),
            self.questions.len(),
        );
        let replaying = self.replay.in_hand() as u64;
        self.status.send_if_modified(|status| {
            let changed = settled
                || status.state != state
                || status.failures != failures
                || status.suspects != suspects
                || status.waiting_for_confirmation != confirming
                || status.replaying != replaying;
            status.state = state;
            status.failures = failures;
            status.suspects = suspects;
            status.waiting_for_confirmation = confirming;
            status.replaying = replaying;
            status.next_attempt_ms = next_attempt_ms;
            changed
        });
    }

    fn state(&self) -> State {
        match self.health.trouble() {
            // No version, and it is known why. Before that the destination is only starting.
            _ if self.version.is_none() && self.status.borrow().last_error.is_some() => State::Holding,
            _ if !self.without_room.is_empty() => State::Holding,
            Some(trouble) if trouble.holding => State::Holding,
            Some(_) => State::Failing,
            None if self.suspects.len() > 0 => State::Failing,
            None if self.sending > 0
                || !self.questions.is_empty()
                || !self.work.is_empty()
                || self.fetching =>
            {
                State::Active
            }
            None => State::Idle,
        }
    }
}

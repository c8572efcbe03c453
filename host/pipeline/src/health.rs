//! Whether a destination may be sent to now, and why not.

use std::time::{Duration, Instant};

use siemaphore_delivery::{Breaker, Permission, Schedule};

/// Why nothing is being sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) reason: String,
    pub(crate) hint: String,
    /// Only an operator can mend it: shown as holding, retried all the same.
    pub(crate) holding: bool,
}

/// A breaker, and the words for its last failure.
#[derive(Debug)]
pub(crate) struct Health {
    breaker: Breaker,
    concurrency: usize,
    schedule: Schedule,
    trouble: Option<Trouble>,
    /// Batches were taken lately and not confirmed. Until one is, taking them is no success: else a SIEM that confirms
    /// nothing would be sent the same events again and again, without a pause.
    unconfirmed: bool,
}

impl Health {
    pub(crate) fn new(concurrency: usize, schedule: Schedule) -> Health {
        let breaker = Breaker::new(concurrency, schedule.clone());
        Health { breaker, concurrency, schedule, trouble: None, unconfirmed: false }
    }

    /// Whether one more request may go out beside the `sending` ones, and the batches that wait for a confirmation.
    pub(crate) fn permits(&self, sending: usize, confirming: usize, now: Instant) -> bool {
        let running = if self.unconfirmed { sending + confirming } else { sending };
        self.breaker.permission(running, now) == Permission::Now
    }

    /// The end of the pause, while there is one.
    pub(crate) fn paused_until(&self, now: Instant) -> Option<Instant> {
        match self.breaker.permission(0, now) {
            Permission::At(until) => Some(until),
            Permission::Now | Permission::AfterOthers => None,
        }
    }

    pub(crate) fn succeeded(&mut self) {
        self.breaker.succeeded();
        self.trouble = None;
        self.unconfirmed = false;
    }

    /// The SIEM has taken a batch and confirms it later.
    pub(crate) fn taken(&mut self) {
        if !self.unconfirmed {
            self.succeeded();
        }
    }

    /// A batch that was taken is to be sent again.
    pub(crate) fn not_confirmed(&mut self) {
        self.unconfirmed = true;
    }

    /// A request failed. `random` is from 0 to 1.
    pub(crate) fn failed(&mut self, asked: Option<Duration>, random: f64, now: Instant, trouble: Trouble) {
        self.trouble = Some(trouble);
        if self.paused_until(now).is_none() {
            self.breaker.failed(asked, random, now);
        } else if let Some(asked) = asked {
            // Requests that were in flight together fail together: that is one failure, and the longest wait counts.
            self.breaker.pause(asked, now);
        }
    }

    /// The SIEM takes events but asks for a rest.
    pub(crate) fn pause(&mut self, pause: Duration, now: Instant) {
        self.breaker.pause(pause, now);
    }

    /// What was known says nothing about what comes: another version formats from now on.
    pub(crate) fn start_afresh(&mut self) {
        *self = Health::new(self.concurrency, self.schedule.clone());
    }

    pub(crate) fn failures(&self) -> u32 {
        self.breaker.failures()
    }

    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble() -> Trouble {
        Trouble { reason: "connection refused".to_owned(), hint: String::new(), holding: false }
    }

    #[test]
    fn requests_that_fail_together_are_one_failure() {
        let now = Instant::now();
        let mut health = Health::new(4, Schedule::default());
        for _ in 0..4 {
            health.failed(None, 1.0, now, trouble());
        }
        assert_eq!(health.failures(), 1);
        assert_eq!(health.paused_until(now), Some(now + Duration::from_secs(1)));
        health.failed(Some(Duration::from_secs(9)), 1.0, now, trouble());
        assert_eq!(health.paused_until(now), Some(now + Duration::from_secs(9)));
    }

    #[test]
    fn a_success_forgets_the_trouble() {
        let now = Instant::now();
        let mut health = Health::new(1, Schedule::default());
        health.failed(Some(Duration::ZERO), 0.0, now, trouble());
        assert!(health.permits(0, 0, now));
        health.succeeded();
        assert_eq!((health.trouble(), health.failures()), (None, 0));
    }

    #[test]
    fn taking_batches_is_no_success_while_none_is_confirmed() {
        let now = Instant::now();
        let mut health = Health::new(4, Schedule::default());
        health.not_confirmed();
        health.failed(Some(Duration::ZERO), 0.0, now, trouble());
        health.taken();
        assert_eq!(health.failures(), 1);
        assert!(health.permits(0, 0, now) && !health.permits(0, 1, now), "one at a time, to its end");
        health.succeeded();
        health.taken();
        assert_eq!(health.failures(), 0);
        assert!(health.permits(0, 9, now));
    }
}

//! Whether a destination may be attempted now.
//!
//! *Closed*: any number of requests up to the limit. After a failure it is *open*: none until the wait is over. Then
//! *half-open*: one request at a time. Each success lets one more run at once, until the limit is reached and the
//! breaker is closed again. An outage so costs one request per wait, and an end of it is no stampede.
//!
//! Pure: times come in, nothing sleeps. Whoever owns a breaker asks it before each attempt and tells it how each
//! attempt ended.

use std::time::{Duration, Instant};

use crate::retry::Schedule;

/// The state of one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    schedule: Schedule,
    limit: usize,
    /// How many may run at once.
    concurrency: usize,
    /// Attempts that failed since one succeeded.
    failures: u32,
    /// Nothing is sent before.
    open_until: Option<Instant>,
}

/// The answer to "may I?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    Now,
    /// Not before this moment.
    At(Instant),
    /// When one of those that run has ended.
    AfterOthers,
}

impl Breaker {
    /// A closed one. `limit` is how many attempts may run at once, at least 1.
    pub fn new(limit: usize, schedule: Schedule) -> Self {
        let limit = limit.max(1);
        Breaker { schedule, limit, concurrency: limit, failures: 0, open_until: None }
    }

    /// Whether one more attempt may start beside the `running` ones.
    pub fn permission(&self, running: usize, now: Instant) -> Permission {
        match self.open_until {
            Some(until) if now < until => Permission::At(until),
            _ if running >= self.concurrency => Permission::AfterOthers,
            _ => Permission::Now,
        }
    }

    /// An attempt reached the SIEM and did what it should.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        self.open_until = None;
        self.concurrency = (self.concurrency + 1).min(self.limit);
    }

    /// An attempt failed: the wait that was asked for, or else the schedule's. `random` is from 0 to 1. Returns the wait.
    pub fn failed(&mut self, asked: Option<Duration>, random: f64, now: Instant) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.concurrency = 1;
        let wait = self.schedule.wait_as_asked(asked, self.failures, random);
        self.pause(wait, now);
        wait
    }

    /// Sends nothing for a while, though nothing failed: a SIEM asked to slow down.
    pub fn pause(&mut self, wait: Duration, now: Instant) {
        let until = now.checked_add(wait);
        self.open_until = self.open_until.max(until);
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// The words of the textbook.
    pub fn state(&self, now: Instant) -> &'static str {
        match self.open_until {
            Some(until) if now < until => "open",
            _ if self.failures > 0 || self.concurrency < self.limit => "half-open",
            _ => "closed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker(limit: usize) -> Breaker {
        Breaker::new(limit, Schedule::default())
    }

    #[test]
    fn a_closed_breaker_lets_as_many_run_as_its_limit() {
        let (breaker, now) = (breaker(2), Instant::now());
        assert_eq!(breaker.permission(0, now), Permission::Now);
        assert_eq!(breaker.permission(1, now), Permission::Now);
        assert_eq!(breaker.permission(2, now), Permission::AfterOthers);
        assert_eq!(breaker.state(now), "closed");
    }

    #[test]
    fn after_a_failure_it_waits_and_then_lets_one_run_at_a_time() {
        let (mut breaker, now) = (breaker(4), Instant::now());
        assert_eq!(breaker.failed(None, 1.0, now), SECOND);
        assert_eq!(breaker.permission(0, now), Permission::At(now + SECOND));
        assert_eq!(breaker.state(now), "open");
        let later = now + SECOND;
        assert_eq!(breaker.permission(0, later), Permission::Now);
        assert_eq!(breaker.permission(1, later), Permission::AfterOthers);
        assert_eq!(breaker.state(later), "half-open");
    }

    #[test]
    fn each_success_lets_one_more_run_at_once() {
        let (mut breaker, now) = (breaker(3), Instant::now());
        breaker.failed(Some(Duration::ZERO), 0.0, now);
        breaker.succeeded();
        assert_eq!(breaker.permission(1, now), Permission::Now);
        assert_eq!(breaker.permission(2, now), Permission::AfterOthers);
        breaker.succeeded();
        breaker.succeeded();
        assert_eq!(breaker.permission(2, now), Permission::Now);
        assert_eq!(breaker.permission(3, now), Permission::AfterOthers);
        assert_eq!(breaker.state(now), "closed");
    }

    #[test]
    fn failures_in_a_row_lengthen_the_wait_and_a_success_forgets_them() {
        let (mut breaker, now) = (breaker(1), Instant::now());
        let waits: Vec<u64> = (0..3).map(|_| breaker.failed(None, 1.0, now).as_secs()).collect();
        assert_eq!((waits, breaker.failures()), (vec![1, 2, 4], 3));
        breaker.succeeded();
        assert_eq!(breaker.failed(None, 1.0, now), SECOND);
    }

    #[test]
    fn a_shorter_wait_does_not_end_a_longer_one() {
        let (mut breaker, now) = (breaker(2), Instant::now());
        breaker.failed(Some(10 * SECOND), 0.0, now);
        breaker.failed(Some(SECOND), 0.0, now);
        assert_eq!(breaker.permission(0, now), Permission::At(now + 10 * SECOND));
    }

    #[test]
    fn a_pause_is_no_failure() {
        let (mut breaker, now) = (breaker(2), Instant::now());
        breaker.pause(SECOND, now);
        assert_eq!(breaker.permission(0, now), Permission::At(now + SECOND));
        assert_eq!((breaker.failures(), breaker.permission(1, now + SECOND)), (0, Permission::Now));
    }
}

//! The rate limit of a source: a token bucket that may go into debt.
//!
//! How many events a request holds is known only after it was decoded. So a request is looked at twice: its head passes
//! when nothing is owed, which spares decoding what would be refused, and its events pass when nothing is owed still,
//! and are paid in the same step. A source can so exceed its rate by one request, and in the long run not at all.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Rate {
    per_second: f64,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    /// Negative: owed.
    events: f64,
    filled: Instant,
}

impl Rate {
    /// Starts with one second's worth, which is also the most that is saved up. Zero counts as one.
    pub(crate) fn new(per_second: u32) -> Rate {
        let per_second = f64::from(per_second.max(1));
        Rate { per_second, bucket: Mutex::new(Bucket { events: per_second, filled: Instant::now() }) }
    }

    /// How long until the next request may come, when it may not come now.
    pub(crate) fn check(&self, now: Instant) -> Result<(), Duration> {
        self.pay(0, now)
    }

    /// Pays for these events, or says how long until they may come.
    pub(crate) fn pay(&self, events: usize, now: Instant) -> Result<(), Duration> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_duration_since(bucket.filled).as_secs_f64() * self.per_second;
        bucket.events = (bucket.events + gained).min(self.per_second);
        bucket.filled = bucket.filled.max(now);
        if bucket.events < 0.0 {
            return Err(Duration::from_secs_f64(-bucket.events / self.per_second));
        }
        bucket.events -= events as f64;
        Ok(())
    }

    /// For events that were paid and not stored.
    pub(crate) fn pay_back(&self, events: usize) {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.events += events as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_over_the_rate_passes_and_the_next_request_waits_for_it() {
        let rate = Rate::new(10);
        let start = Instant::now();
        rate.check(start).unwrap();
        rate.pay(30, start).unwrap();
        let wait = rate.check(start).unwrap_err();
        assert!((1.9..=2.0).contains(&wait.as_secs_f64()), "{wait:?}");
        rate.check(start + Duration::from_secs(1)).unwrap_err();
        rate.check(start + Duration::from_secs(2)).unwrap();
    }

    #[test]
    fn a_quiet_source_saves_up_one_second_and_no_more() {
        let rate = Rate::new(10);
        let later = Instant::now() + Duration::from_secs(3600);
        rate.pay(21, later).unwrap();
        let wait = rate.check(later).unwrap_err();
        assert!((1.0..=1.2).contains(&wait.as_secs_f64()), "{wait:?}");
    }

    #[test]
    fn of_requests_at_the_same_time_one_goes_over_the_rate() {
        let rate = Rate::new(10);
        let start = Instant::now();
        let passed = (0..30).filter(|_| rate.pay(10_000, start).is_ok()).count();
        assert_eq!(passed, 1);
        let wait = rate.check(start).unwrap_err();
        assert!((998.0..=1000.0).contains(&wait.as_secs_f64()), "{wait:?}");
        rate.pay_back(10_000);
        rate.check(start).unwrap();
    }
}

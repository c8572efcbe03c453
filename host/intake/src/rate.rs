//! The rate limit of a source: a token bucket that may go into debt.
//!
//! How many events a request holds is known only after it was decoded. So a request passes when nothing is owed, pays
//! afterwards for all it held, and the next one waits until that is worked off. A source can so exceed its rate by the
//! requests under way, and in the long run not at all.

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
        let events = self.refill(now, 0.0);
        if events >= 0.0 { Ok(()) } else { Err(Duration::from_secs_f64(-events / self.per_second)) }
    }

    pub(crate) fn pay(&self, events: usize, now: Instant) {
        self.refill(now, events as f64);
    }

    fn refill(&self, now: Instant, spent: f64) -> f64 {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_duration_since(bucket.filled).as_secs_f64() * self.per_second;
        bucket.events = (bucket.events + gained).min(self.per_second) - spent;
        bucket.filled = bucket.filled.max(now);
        bucket.events
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
        rate.pay(30, start);
        let wait = rate.check(start).unwrap_err();
        assert!((1.9..=2.0).contains(&wait.as_secs_f64()), "{wait:?}");
        rate.check(start + Duration::from_secs(1)).unwrap_err();
        rate.check(start + Duration::from_secs(2)).unwrap();
    }

    #[test]
    fn a_quiet_source_saves_up_one_second_and_no_more() {
        let rate = Rate::new(10);
        let later = Instant::now() + Duration::from_secs(3600);
        rate.pay(21, later);
        let wait = rate.check(later).unwrap_err();
        assert!((1.0..=1.2).contains(&wait.as_secs_f64()), "{wait:?}");
    }
}

//! The operator's cap on the events that one destination is sent in a second.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Lets a request go when the ones before it have had their time: one second for each `per_second` events. There is
/// no credit for quiet times, so nothing is ever sent faster than the cap, but for the first request.
#[derive(Debug)]
pub(crate) struct Pace {
    per_second: Option<NonZeroU32>,
    free_at: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(per_second: Option<NonZeroU32>) -> Pace {
        Pace { per_second, free_at: None }
    }

    /// When the next request may go, if not now.
    pub(crate) fn free_at(&self, now: Instant) -> Option<Instant> {
        self.free_at.filter(|free_at| *free_at > now)
    }

    /// A request with so many events goes now.
    pub(crate) fn took(&mut self, events: usize, now: Instant) {
        let Some(per_second) = self.per_second else { return };
        let time = Duration::from_secs_f64(events as f64 / f64::from(per_second.get()));
        self.free_at = self.free_at.unwrap_or(now).max(now).checked_add(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_takes_the_time_of_its_events() {
        let now = Instant::now();
        let mut pace = Pace::new(NonZeroU32::new(100));
        assert_eq!(pace.free_at(now), None);
        pace.took(50, now);
        assert_eq!(pace.free_at(now), Some(now + Duration::from_millis(500)));
        let later = now + Duration::from_millis(500);
        assert_eq!(pace.free_at(later), None);
        pace.took(100, later);
        assert_eq!(pace.free_at(later), Some(later + Duration::from_secs(1)));
    }

    #[test]
    fn without_a_cap_everything_may_go() {
        let now = Instant::now();
        let mut pace = Pace::new(None);
        pace.took(1_000_000, now);
        assert_eq!(pace.free_at(now), None);
    }
}

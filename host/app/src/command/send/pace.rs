//! No more events a second than were asked for.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// When the next events may be sent.
pub(crate) struct Pace {
    per_second: Option<u32>,
    next: Instant,
}

impl Pace {
    pub(crate) fn new(per_second: Option<u32>) -> Pace {
        Pace { per_second, next: Instant::now() }
    }

    /// Waits until the next events may be sent. Giving up the wait changes nothing.
    pub(crate) async fn ready(&self) {
        if self.per_second.is_some() {
            sleep_until(self.next).await;
        }
    }

    /// These events are sent. What was not used before is not saved up.
    pub(crate) fn sent(&mut self, events: u64) {
        let Some(per_second) = self.per_second else { return };
        let takes = Duration::from_secs_f64(events as f64 / f64::from(per_second.max(1)));
        self.next = Instant::now() + takes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn events_are_spread_over_the_time_that_they_may_take() {
        let start = Instant::now();
        let mut pace = Pace::new(Some(100));
        for _ in 0..5 {
            pace.ready().await;
            pace.sent(50);
        }
        assert_eq!(start.elapsed().as_millis(), 2_000);
        let mut unlimited = Pace::new(None);
        unlimited.sent(u64::MAX);
        unlimited.ready().await;
        assert_eq!(start.elapsed().as_millis(), 2_000);
    }
}

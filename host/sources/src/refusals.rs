//! Telling the operator what was no event, and where it was, without filling the log.

use std::time::{Duration, Instant};

use siemaphore_intake::Feed;

/// So many are told one by one in each period; the rest of it as a number, when the next begins.
const TOLD: usize = 5;
const PERIOD: Duration = Duration::from_secs(60);

pub(crate) struct Refusals {
    source: String,
    feed: Feed,
    since: Option<Instant>,
    told: usize,
    untold: usize,
}

impl Refusals {
    pub(crate) fn new(source: &str, feed: Feed) -> Refusals {
        Refusals { source: source.to_owned(), feed, since: None, told: 0, untold: 0 }
    }

    /// What the intake has counted already. `reasons` may be fewer than `count`.
    pub(crate) fn tell(&mut self, count: usize, reasons: impl IntoIterator<Item = (String, String)>) {
        let (begun, earlier) = self.begin(Instant::now());
        if begun && earlier > 0 {
            tracing::warn!(source = self.source, more = earlier, "more was passed over that is no event");
        }
        let room = TOLD.saturating_sub(self.told);
        let mut shown = 0;
        for (place, reason) in reasons.into_iter().take(room) {
            tracing::warn!(source = self.source, place, reason, "passed over: this is no event");
            shown += 1;
        }
        self.told += shown;
        self.untold += count.saturating_sub(shown);
    }

    /// What the intake has not seen.
    pub(crate) fn count_and_tell(&mut self, place: String, reason: &str) {
        self.feed.count_refused(reason);
        self.tell(1, [(place, reason.to_owned())]);
    }

    /// Whether a period begins, and what the last one has not told.
    fn begin(&mut self, now: Instant) -> (bool, usize) {
        let goes_on = self.since.is_some_and(|since| now.saturating_duration_since(since) < PERIOD);
        if goes_on {
            return (false, 0);
        }
        (self.since, self.told) = (Some(now), 0);
        (true, std::mem::take(&mut self.untold))
    }
}

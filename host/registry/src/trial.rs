//! Whether a version is worse than the one before it. Pure: figures in, a reason out.
//!
//! A version is *new* until it has proven itself. While it is, two things send the previous one back to work: it breaks
//! (a trap, a limit, a broken promise), or more of its records are refused than of the previous one's. Both are judged
//! too quickly rather than too late: what returns has worked before, and nothing was given up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A version that so many events have gone through with is no longer new.
const PROVEN_EVENTS: u64 = 10_000;
/// Nor is one that some events have gone through with in so long.
const PROVEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// So few refusals say nothing.
const REFUSED_AT_LEAST: u64 = 8;
/// How much larger the share of refused events must be, in thousandths, beside being twice as large.
const MARGIN_PER_MILLE: u64 = 10;

/// What came of a version's records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Events that a SIEM took.
    pub gone_through: u64,
    /// Events that the formatter or a SIEM refused for what is in them.
    pub refused: u64,
}

impl Track {
    pub(crate) fn is_proven(self, age: Duration) -> bool {
        self.gone_through >= PROVEN_EVENTS || (self.gone_through > 0 && age >= PROVEN_AFTER)
    }

    /// Of a thousand events.
    fn refused_per_mille(self) -> u64 {
        self.refused.saturating_mul(1_000).checked_div(self.gone_through + self.refused).unwrap_or(0)
    }

    /// Why the version with this track should give way to the previous one.
    pub(crate) fn is_worse_than(self, previous: Track) -> Option<String> {
        let (new, old) = (self.refused_per_mille(), previous.refused_per_mille());
        let worse = self.refused >= REFUSED_AT_LEAST && new > old.saturating_mul(2) + MARGIN_PER_MILLE;
        worse.then(|| {
            let share = |per_mille: u64| format!("{}.{} %", per_mille / 10, per_mille % 10);
            format!(
                "{} of its events were refused ({}), and {} of the previous version's",
                self.refused,
                share(new),
                share(old)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(gone_through: u64, refused: u64) -> Track {
        Track { gone_through, refused }
    }

    #[test]
    fn a_version_is_proven_by_events_or_by_time_with_some() {
        let day = PROVEN_AFTER;
        assert!(!track(9_999, 0).is_proven(Duration::ZERO));
        assert!(track(10_000, 0).is_proven(Duration::ZERO));
        assert!(track(1, 0).is_proven(day));
        assert!(!track(0, 500).is_proven(day), "nothing has gone through");
    }

    #[test]
    fn a_larger_share_of_refusals_is_worse_and_a_similar_one_is_not() {
        assert_eq!(track(0, 7).is_worse_than(track(1_000, 0)), None, "too few to say");
        assert!(track(0, 8).is_worse_than(Track::default()).is_some());
        assert!(track(500, 8).is_worse_than(track(1_000, 0)).is_some());
        assert_eq!(track(1_000, 8).is_worse_than(track(1_000, 0)), None, "within the margin");
        assert_eq!(track(100, 100).is_worse_than(track(60, 40)), None, "the stream was bad before");
        let reason = track(90, 10).is_worse_than(track(998, 2)).unwrap();
        assert_eq!(reason, "10 of its events were refused (10.0 %), and 0.2 % of the previous version's");
    }
}

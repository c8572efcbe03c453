//! How long to wait before a server is asked again.

use std::time::Duration;

use siemaphore_delivery::Schedule;

const SHORTEST: Duration = Duration::from_secs(1);
pub(crate) const LONGEST: Duration = Duration::from_secs(60);
/// Where only an operator can mend it. A corrected secret or right is noticed within this.
pub(crate) const HELD: Duration = Duration::from_secs(60);
/// What a server may ask for, at most. A longer wish would look like a source that has died.
const LONGEST_ASKED: Duration = Duration::from_secs(10 * 60);

/// The wait after so many failures in a row, from 0 up: at random within a window that doubles, but not before the
/// server wants us. `random` is from 0 to 1.
pub(crate) fn wait(asked: Option<Duration>, failures: u32, random: f64) -> Duration {
    let backoff = Schedule::Backoff { shortest: SHORTEST, longest: LONGEST };
    backoff.wait(failures, random).max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_doubles_to_a_minute_and_a_server_can_only_make_it_longer() {
        let seconds = Duration::from_secs;
        for (asked, failures, random, expected) in [
            (None, 0, 1.0, seconds(1)),
            (None, 1, 1.0, seconds(1)),
            (None, 4, 1.0, seconds(8)),
            (None, 4, 0.5, seconds(4)),
            (None, u32::MAX, 1.0, seconds(60)),
            (Some(seconds(3)), 0, 0.0, seconds(3)),
            (Some(seconds(3)), 4, 1.0, seconds(8)),
            (Some(seconds(100_000)), 0, 0.0, seconds(600)),
        ] {
            assert_eq!(wait(asked, failures, random), expected, "{asked:?} {failures} {random}");
        }
    }
}

//! How long to wait before the next attempt.

use std::time::{Duration, SystemTime};

use crate::clean::Answer;

/// The longest wait that a remote side can ask for.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(10 * 60);

/// How the waits between attempts follow each other, where nobody asks for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Anything between nothing and a window that doubles with each failure (full jitter): many hosts that failed together
    /// must not come back together.
    Backoff {
        /// The first window.
        shortest: Duration,
        /// The window that it never grows beyond.
        longest: Duration,
    },
    /// Exactly these waits, the last one repeated. An empty list waits for nothing.
    Fixed(Vec<Duration>),
}

impl Default for Schedule {
    fn default() -> Schedule {
        Schedule::Backoff { shortest: Duration::from_secs(1), longest: Duration::from_secs(5 * 60) }
    }
}

impl Schedule {
    /// The wait that a SIEM asked for, but no shorter than ours may be: a remote side can slow us down, and not make us
    /// hammer it or give events up early. Without a wish, or with one for no wait at all, the schedule's own.
    pub fn wait_as_asked(&self, asked: Option<Duration>, failures: u32, random: f64) -> Duration {
        let own = self.wait(failures, random);
        match (asked.filter(|asked| !asked.is_zero()), self) {
            (None, _) => own,
            (Some(asked), Schedule::Backoff { shortest, .. }) => asked.max(*shortest),
            (Some(asked), Schedule::Fixed(_)) => asked.max(own),
        }
    }

    /// The wait after so many failures in a row, from 1 up. `random` is from 0 to 1.
    pub fn wait(&self, failures: u32, random: f64) -> Duration {
        let before = failures.saturating_sub(1);
        match self {
            Schedule::Backoff { shortest, longest } => {
                let window = shortest.saturating_mul(1 << before.min(16)).min(*longest);
                // A comparison with NaN is false, so a broken source of randomness gives the whole window.
                let share = if (0.0..=1.0).contains(&random) { random } else { 1.0 };
                window.mul_f64(share)
            }
            Schedule::Fixed(waits) => {
                let wait = waits.get(before as usize).or(waits.last());
                wait.copied().unwrap_or_default()
            }
        }
    }
}

/// `Retry-After` in both of its forms, at most [`MAX_RETRY_AFTER`].
///
/// A date is compared with the answer's own `Date`, so that a clock that differs from ours does no harm.
pub(crate) fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = httpdate::parse_http_date(text).ok()?;
            until.duration_since(sent_at(answer)).unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

fn sent_at(answer: &Answer) -> SystemTime {
    answer.header("date").and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(answer.received_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::tests_support::answer;

    #[test]
    fn the_window_doubles_from_one_second_to_five_minutes() {
        for (failures, seconds) in [
            (0, 1),
            (1, 1),
            (2, 2),
            (3, 4),
            (8, 128),
            (9, 256),
            (10, 300),
            (11, 300),
            (40, 300),
            (u32::MAX, 300),
        ] {
            assert_eq!(Schedule::default().wait(failures, 1.0), Duration::from_secs(seconds), "{failures}");
        }
    }

    #[test]
    fn the_wait_is_anywhere_in_the_window() {
        let schedule = Schedule::default();
        assert_eq!(schedule.wait(3, 0.0), Duration::ZERO);
        assert_eq!(schedule.wait(3, 0.25), Duration::from_secs(1));
        for broken in [f64::NAN, -1.0, 2.0, f64::INFINITY] {
            assert_eq!(schedule.wait(3, broken), Duration::from_secs(4), "{broken}");
        }
    }

    #[test]
    fn fixed_waits_are_kept_to_the_second_and_the_last_is_repeated() {
        let schedule = Schedule::Fixed([60, 120, 240].map(Duration::from_secs).to_vec());
        let waits = [1, 2, 3, 4, u32::MAX].map(|failures| schedule.wait(failures, 0.0).as_secs());
        assert_eq!(waits, [60, 120, 240, 240, 240]);
        assert_eq!(Schedule::Fixed(Vec::new()).wait(1, 1.0), Duration::ZERO);
    }

    #[test]
    fn a_siem_can_ask_for_a_longer_wait_and_for_no_shorter_one() {
        let seconds = Duration::from_secs;
        let asked = |schedule: &Schedule, asked| schedule.wait_as_asked(asked, 3, 1.0).as_secs();
        let backoff = Schedule::default();
        assert_eq!(asked(&backoff, None), 4);
        assert_eq!(asked(&backoff, Some(Duration::ZERO)), 4);
        assert_eq!(asked(&backoff, Some(Duration::from_millis(1))), 1);
        assert_eq!(asked(&backoff, Some(seconds(90))), 90);
        let fixed = Schedule::Fixed([60, 120, 240].map(seconds).to_vec());
        assert_eq!(asked(&fixed, Some(seconds(5))), 240);
        assert_eq!(asked(&fixed, Some(seconds(500))), 500);
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_capped() {
        let date = ("date", "Fri, 20 Nov 2026 10:00:00 GMT");
        for (value, seconds) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("86400", Some(600)),
            ("99999999999999999999", None),
            ("-1", None),
            ("soon", None),
            ("Fri, 20 Nov 2026 10:01:30 GMT", Some(90)),
            ("Fri, 20 Nov 2026 09:00:00 GMT", Some(0)),
            ("Sat, 20 Nov 2027 10:00:00 GMT", Some(600)),
        ] {
            let answer = answer(503, &[date, ("retry-after", value)], "");
            assert_eq!(retry_after(&answer), seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&answer(503, &[], "")), None);
    }

    #[test]
    fn without_a_date_the_time_of_receipt_counts() {
        let mut answer = answer(503, &[("retry-after", "Thu, 01 Jan 1970 00:01:00 GMT")], "");
        answer.received_at = SystemTime::UNIX_EPOCH + Duration::from_secs(20);
        assert_eq!(retry_after(&answer), Some(Duration::from_secs(40)));
    }
}

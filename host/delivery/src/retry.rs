//! How long to wait before the next attempt.

use std::time::{Duration, SystemTime};

use crate::clean::Answer;

/// The first window, and the one that it never grows beyond.
const FIRST_WINDOW: Duration = Duration::from_secs(1);
const LAST_WINDOW: Duration = Duration::from_secs(5 * 60);
/// The longest wait that a remote side can ask for.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(10 * 60);

/// The wait after `attempt` failures, from 1 up, with full jitter: anything between nothing and a window that doubles
/// each time. Many hosts that failed together must not come back together. `random` is from 0 to 1.
pub fn backoff(attempt: u32, random: f64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let window = FIRST_WINDOW.saturating_mul(1 << doublings).min(LAST_WINDOW);
    // A comparison with NaN is false, so a broken source of randomness gives the whole window.
    let share = if (0.0..=1.0).contains(&random) { random } else { 1.0 };
    window.mul_f64(share)
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
        for (attempt, seconds) in [
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
            assert_eq!(backoff(attempt, 1.0), Duration::from_secs(seconds), "{attempt}");
        }
    }

    #[test]
    fn the_wait_is_anywhere_in_the_window() {
        assert_eq!(backoff(3, 0.0), Duration::ZERO);
        assert_eq!(backoff(3, 0.25), Duration::from_secs(1));
        for broken in [f64::NAN, -1.0, 2.0, f64::INFINITY] {
            assert_eq!(backoff(3, broken), Duration::from_secs(4), "{broken}");
        }
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

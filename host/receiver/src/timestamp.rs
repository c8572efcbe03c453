//! Times as the SIEMs compare them: milliseconds around now.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

pub(crate) const HOUR_MS: i64 = 3_600_000;

/// The machine's clock. A clock set before 1970 reads as 1970, which every window then shows.
pub(crate) fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// Reads an ISO 8601 time that names its offset; without one, a SIEM would have to guess.
pub(crate) fn iso_ms(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

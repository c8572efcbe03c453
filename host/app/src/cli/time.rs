//! Moments as people write them.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: `2026-11-21T06:00:00Z`, `2026-11-21` (its beginning, UTC), or how long ago: `24h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Milliseconds since 1970.
    pub(crate) at_ms: u64,
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        let time = match humantime::parse_duration(text) {
            Ok(ago) => SystemTime::now().checked_sub(ago).unwrap_or(UNIX_EPOCH),
            Err(_) => humantime::parse_rfc3339_weak(text)
                .or_else(|_| humantime::parse_rfc3339_weak(&format!("{text}T00:00:00Z")))
                .map_err(|_| "write `24h`, `2026-11-21` or `2026-11-21T06:00:00Z`".to_owned())?,
        };
        let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Ok(Moment { at_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_a_day_and_a_duration_are_moments() {
        let at = |text: &str| text.parse::<Moment>().unwrap().at_ms;
        assert_eq!(at("1970-01-02"), 86_400_000);
        assert_eq!(at("1970-01-01T00:00:01Z"), 1_000);
        assert_eq!(at("1970-01-01 00:00:01"), 1_000);
        assert_eq!(at("100000d"), 0);
        assert!(at("1h") > at("2h"));
        assert!("yesterday".parse::<Moment>().is_err());
    }
}

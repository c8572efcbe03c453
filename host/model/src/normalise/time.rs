//! Times as producers write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;

/// Nanoseconds since 1970 of a time written as text: RFC 3339 with any offset, the same without one (taken as UTC), or
/// a number since 1970. None when it is none of these or outside 1970 to 2262.
pub(super) fn from_text(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return nanoseconds(timestamp);
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return nanoseconds(local.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    from_number(text)
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970: the magnitude tells which, for any time from 1973
/// on. Smaller numbers are no times; a fraction counts for seconds to the nanosecond.
pub(super) fn from_number(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (whole, fraction) = if text.contains(['e', 'E']) {
        // Scientific notation has lost the exact digits already.
        (text.parse::<f64>().ok().filter(|number| *number < 1e19)? as u64, "")
    } else {
        (whole.parse::<u64>().ok()?, fraction)
    };
    let unit: u64 = match whole {
        0..100_000_000 => return None,
        100_000_000..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    let mut nanoseconds = whole.checked_mul(unit)?;
    let mut digit_unit = unit;
    for digit in fraction.bytes() {
        digit_unit /= 10;
        nanoseconds = nanoseconds.checked_add(digit_unit * u64::from(char::from(digit).to_digit(10)?))?;
    }
    i64::try_from(nanoseconds).is_ok().then_some(nanoseconds)
}

/// RFC 3339 in UTC with a trailing `Z` and no more digits than the time has.
pub(super) fn write(nanoseconds: u64, into: &mut String) {
    into.clear();
    let timestamp = Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH);
    // Writing into a string cannot fail.
    if DateTimePrinter::new().print_timestamp(&timestamp, &mut *into).is_err() {
        into.clear();
    }
}

/// The range of an `i64`, which is what most SIEMs store.
fn nanoseconds(timestamp: Timestamp) -> Option<u64> {
    let nanoseconds = i64::try_from(timestamp.as_nanosecond()).ok()?;
    u64::try_from(nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENING: u64 = 1_780_949_730_000_000_000;

    #[test]
    fn every_usual_way_to_write_a_time_is_read() {
        for (text, expected) in [
            ("2026-06-08T20:15:30Z", EVENING),
            ("2026-06-08T20:15:30.5Z", EVENING + 500_000_000),
            ("2026-06-08T20:15:30.123456789Z", EVENING + 123_456_789),
            ("2026-06-08T22:15:30+02:00", EVENING),
            ("2026-06-08 20:15:30+00:00", EVENING),
            ("2026-06-08t20:15:30z", EVENING),
            ("2026-06-08T20:15:30", EVENING),
            (" 2026-06-08 20:15:30 ", EVENING),
            ("1780949730", EVENING),
            ("1780949730.25", EVENING + 250_000_000),
            ("1780949730.0000000019", EVENING + 1),
            ("1780949730123", EVENING + 123_000_000),
            ("1780949730123.5", EVENING + 123_500_000),
            ("1780949730123456", EVENING + 123_456_000),
            ("1780949730123456789", EVENING + 123_456_789),
            ("1.78094973e9", EVENING),
        ] {
            assert_eq!(from_text(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_not_guessed() {
        for text in [
            "",
            "soon",
            "5",
            "-1780949730",
            "1e30",
            "NaN",
            "inf",
            "1780949730.x",
            "1969-12-31T23:59:59Z",
            "2300-01-01T00:00:00Z",
            "99999999999999999999",
            "2026-13-01T00:00:00Z",
            "18446744073709551615",
        ] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_written_as_short_as_they_are_exact() {
        let mut text = String::new();
        for (nanoseconds, expected) in [
            (EVENING, "2026-06-08T20:15:30Z"),
            (EVENING + 847_000_000, "2026-06-08T20:15:30.847Z"),
            (0, "1970-01-01T00:00:00Z"),
            (u64::MAX, "2554-07-21T23:34:33.709551615Z"),
        ] {
            write(nanoseconds, &mut text);
            assert_eq!(text, expected);
        }
    }
}

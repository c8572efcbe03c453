//! Values that say how far an export was read: times, numbers, ids.

use std::cmp::Ordering;
use std::time::Duration;

use jiff::Timestamp;

/// The later of two cursors.
pub(super) fn later(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) if order(&one, &other) == Ordering::Less => Some(other),
        (Some(one), _) => Some(one),
        (None, other) => other,
    }
}

/// Times by the moment that they mean, whole numbers by their size, anything else as text.
fn order(one: &str, other: &str) -> Ordering {
    if let (Ok(one), Ok(other)) = (one.parse::<Timestamp>(), other.parse::<Timestamp>()) {
        return one.cmp(&other);
    }
    if let (Some(one), Some(other)) = (whole_number(one), whole_number(other)) {
        return one.len().cmp(&other.len()).then_with(|| one.cmp(other));
    }
    one.cmp(other)
}

/// However long it is: ids of 20 digits are common.
fn whole_number(text: &str) -> Option<&str> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.trim_start_matches('0'))
}

/// Whether it is a time after `latest`. The end of year 9999 is no time any more, and is written where none is meant.
pub(super) fn is_later_than(cursor: &str, latest: Timestamp) -> bool {
    match cursor.parse::<Timestamp>() {
        Ok(time) => time > latest,
        Err(_) => {
            let year = cursor.split_once('-').map_or("", |(year, _)| year);
            whole_number(year).is_some() && cursor > latest.to_string().as_str()
        }
    }
}

/// So much earlier, when it is a time.
pub(super) fn earlier(cursor: &str, by: Duration) -> String {
    if by.is_zero() {
        return cursor.to_owned();
    }
    let moved = cursor.parse::<Timestamp>().ok().and_then(|time| time.checked_sub(by).ok());
    moved.map_or_else(|| cursor.to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_cursor_is_a_matter_of_what_it_is() {
        for (one, other) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"),
            ("2026-01-01T12:00:00+02:00", "2026-01-01T10:30:00Z"),
            ("9", "10"),
            ("0099", "100"),
            ("18446744073709551615", "18446744073709551616"),
            ("01JAAAAAAA", "01JAAAAAAB"),
            ("", "a"),
        ] {
            let text = |text: &str| Some(text.to_owned());
            assert_eq!(later(text(one), text(other)), text(other), "{one} {other}");
            assert_eq!(later(text(other), text(one)), text(other), "{other} {one}");
        }
        assert_eq!(later(None, Some("a".to_owned())), Some("a".to_owned()));
        assert_eq!(later(Some("a".to_owned()), None), Some("a".to_owned()));
    }

    #[test]
    fn times_ahead_are_known_and_ids_are_none() {
        let latest: Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
        for ahead in
            ["2026-01-02T00:00:01Z", "9999-12-31T23:59:59Z", "9999-12-31", "2026-01-02T02:00:00+01:00"]
        {
            assert!(is_later_than(ahead, latest), "{ahead}");
        }
        for other in ["2026-01-02T00:00:00Z", "2025-12-31", "99999999999", "01JZZ-9", ""] {
            assert!(!is_later_than(other, latest), "{other}");
        }
    }

    #[test]
    fn a_time_can_be_moved_back_and_nothing_else() {
        let minute = Duration::from_secs(60);
        assert_eq!(earlier("2026-01-01T00:00:30Z", minute), "2025-12-31T23:59:30Z");
        assert_eq!(earlier("2026-01-01T00:00:30.25+01:00", minute), "2025-12-31T22:59:30.25Z");
        assert_eq!(earlier("2026-01-01T00:00:30.25+01:00", Duration::ZERO), "2026-01-01T00:00:30.25+01:00");
        assert_eq!(earlier("1767225600", minute), "1767225600");
    }
}

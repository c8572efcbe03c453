//! How long a destination is tried again, and what becomes of what it does not take.

use std::num::NonZeroU32;
use std::time::Duration;

use humantime::format_duration;
use siemaphore_pipeline::{GiveUp, RetryPolicy, Schedule};
use siemaphore_store::{DeadLetterLimit, WhenFull};

use crate::config::problem::{Path, at};
use crate::config::{Problems, destination, file, nearest, quantity};

const THREE_RETRIES: &str = "three-retries";
const WHEN_FULL: [&str; 2] = ["hold", "expire-oldest"];
/// A failing SIEM that is asked more often than this is harmed.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
/// After a longer wait nobody would believe that it is still tried.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// Some hundred letters; fewer would fill up with one bad batch.
const SMALLEST_LIMIT_BYTES: u64 = 1024 * 1024;

/// `[destination.retry]`. What waits longer than `age_limit` expires, so giving up has to come before.
pub(crate) fn policy(
    problems: &mut Problems<'_>,
    index: usize,
    written: &file::Retry,
    age_limit: Duration,
) -> RetryPolicy {
    let place = |key: &str| at!["destination", index, "retry", key];
    let age = written.give_up_age.as_deref();
    let age = age.and_then(|text| problems.check(place("give_up_age"), quantity::duration(text)));
    if let Some(age) = age.filter(|age| *age >= age_limit) {
        let (age, age_limit) = (format_duration(age), format_duration(age_limit));
        problems.add(
            place("give_up_age"),
            format!("events would expire before they are given up: `give_up_age` is {age}, `age_limit` {age_limit}"),
            "write a `give_up_age` below the `age_limit` of this destination (7d unless written), or raise that",
        );
    }
    if let Some(age) = age.filter(|age| *age < destination::SHORTEST) {
        let reason = format!("`give_up_age` is {}, shorter than a second", format_duration(age));
        problems.add(place("give_up_age"), reason, "write 1s or more");
    }
    if let Some(preset) = &written.preset {
        return from_preset(problems, index, written, preset, age);
    }
    let attempts =
        written.give_up_attempts.map(|attempts| attempt_count(problems, place("give_up_attempts"), attempts));
    RetryPolicy {
        schedule: backoff(problems, index, written),
        give_up: GiveUp { attempts: attempts.flatten(), age },
    }
}

fn from_preset(
    problems: &mut Problems<'_>,
    index: usize,
    written: &file::Retry,
    preset: &str,
    age: Option<Duration>,
) -> RetryPolicy {
    let place = |key: &str| at!["destination", index, "retry", key];
    if preset != THREE_RETRIES {
        let hint = match nearest(preset, &[THREE_RETRIES]) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write \"{THREE_RETRIES}\" (after 60 s, 120 s and 240 s), or leave `preset` out"),
        };
        problems.add(place("preset"), format!("there is no preset `{preset}`"), hint);
    }
    let beside = [
        ("shortest", written.shortest.is_some()),
        ("longest", written.longest.is_some()),
        ("give_up_attempts", written.give_up_attempts.is_some()),
    ];
    for (key, _) in beside.into_iter().filter(|(_, is_written)| *is_written) {
        problems.add(
            place(key),
            format!("`{key}` and `preset` contradict each other"),
            format!("take one of them out: the preset decides `{key}`"),
        );
    }
    let policy = RetryPolicy::three_retries();
    RetryPolicy { give_up: GiveUp { age: age.or(policy.give_up.age), ..policy.give_up }, ..policy }
}

fn backoff(problems: &mut Problems<'_>, index: usize, written: &file::Retry) -> Schedule {
    let Schedule::Backoff { shortest: default_shortest, longest: default_longest } =
        RetryPolicy::default().schedule
    else {
        return RetryPolicy::default().schedule;
    };
    let shortest = wait(problems, index, "shortest", written.shortest.as_deref());
    let longest = wait(problems, index, "longest", written.longest.as_deref());
    // Written alone, one bound moves the other along.
    let (shortest, longest) = match (shortest, longest) {
        (None, None) => (default_shortest, default_longest),
        (Some(shortest), None) => (shortest, default_longest.max(shortest)),
        (None, Some(longest)) => (default_shortest.min(longest), longest),
        (Some(shortest), Some(longest)) => {
            if shortest > longest {
                problems.add(
                    at!["destination", index, "retry", "shortest"],
                    format!(
                        "the shortest wait, {}, is longer than the longest, {}",
                        format_duration(shortest),
                        format_duration(longest)
                    ),
                    "write a `shortest` that is at most `longest`",
                );
            }
            (shortest, longest)
        }
    };
    Schedule::Backoff { shortest, longest }
}

fn wait(problems: &mut Problems<'_>, index: usize, key: &str, written: Option<&str>) -> Option<Duration> {
    let place = at!["destination", index, "retry", key];
    let wait = problems.check(place.clone(), quantity::duration(written?))?;
    if !(SHORTEST_WAIT..=LONGEST_WAIT).contains(&wait) {
        problems.add(
            place,
            format!("`{key}` is {}, not between 100ms and 24h", format_duration(wait)),
            "write a wait such as \"1s\" or \"5m\"",
        );
    }
    Some(wait)
}

fn attempt_count(problems: &mut Problems<'_>, place: Path, attempts: u32) -> Option<NonZeroU32> {
    let counted = NonZeroU32::new(attempts);
    if counted.is_none() {
        problems.add(
            place,
            "an event that is given up after 0 attempts is never sent",
            "write 1 or more, or leave it out to go on for as long as `age_limit` allows",
        );
    }
    counted
}

/// `events_per_second`
pub(crate) fn rate(problems: &mut Problems<'_>, index: usize, written: Option<u32>) -> Option<NonZeroU32> {
    let rate = NonZeroU32::new(written?);
    if rate.is_none() {
        problems.add(
            at!["destination", index, "events_per_second"],
            "0 events a second deliver nothing",
            "write 1 or more, leave it out for no limit, or set `enabled = false`",
        );
    }
    rate
}

/// `dead_letter_limit` and `when_dead_letters_are_full`
pub(crate) fn dead_letter_limit(
    problems: &mut Problems<'_>,
    index: usize,
    written: &file::Destination,
) -> DeadLetterLimit {
    let default = DeadLetterLimit::default();
    let place = at!["destination", index, "dead_letter_limit"];
    let bytes = written.dead_letter_limit.as_deref();
    let bytes = bytes.and_then(|text| problems.check(place.clone(), quantity::bytes(text)));
    if let Some(bytes) = bytes.filter(|bytes| *bytes < SMALLEST_LIMIT_BYTES) {
        let reason = format!("{} is too small: one bad batch would fill it", bytesize::ByteSize(bytes));
        problems.add(place, reason, "write at least \"1 MiB\"");
    }
    let when_full = match written.when_dead_letters_are_full.as_deref() {
        None | Some("hold") => WhenFull::Hold,
        Some("expire-oldest") => WhenFull::ExpireOldest,
        Some(other) => {
            let hint = match nearest(other, &WHEN_FULL) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => "write \"hold\" (deliver nothing until there is room) or \"expire-oldest\" (counted)"
                    .to_owned(),
            };
            let place = at!["destination", index, "when_dead_letters_are_full"];
            problems.add(place, format!("`{other}` is not something to do when dead letters are full"), hint);
            WhenFull::Hold
        }
    };
    DeadLetterLimit { bytes: bytes.unwrap_or(default.bytes), when_full }
}

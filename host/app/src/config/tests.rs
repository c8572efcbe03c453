//! What people get wrong in a configuration, and what they are told.

mod mutations;
mod sources;
mod tls;

use std::path::Path;
use std::time::Duration;

use siemaphore_pipeline::{RetryPolicy, Schedule};
use siemaphore_store::{DeadLetterLimit, WhenFull};

use super::*;

/// The problems with a file, as `line: reason (fix)`.
fn problems(text: &str) -> Vec<String> {
    let found = from_text(text.to_owned(), Path::new("/nonexistent")).err().unwrap();
    let line = |problem: &Problem| problem.line.map_or("-".to_owned(), |line| line.to_string());
    found.iter().map(|problem| format!("{}: {} ({})", line(problem), problem.reason, problem.hint)).collect()
}

fn destination(extra: &str) -> String {
    format!(
        "[[destination]]\nname = 'splunk'\nformatter = 'splunk'\nendpoint = 'https://splunk.example.com:8088'\nsecret = 'env:TOKEN'\n{extra}"
    )
}

#[test]
fn ten_lines_are_enough() {
    let text = format!("[[source]]\nname = 'gateway'\ntoken = 'env:GATEWAY_TOKEN'\n{}", destination(""));
    let config = from_text(text, Path::new("/etc/siemaphore")).ok().unwrap();
    assert_eq!(config.destinations[0].id(), "default/splunk");
    assert_eq!(config.sources[0].organization, "default");
    assert_eq!(config.state, Path::new("/etc/siemaphore/state"));
    assert!(config.intake_listen.ip().is_loopback());
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_key_that_was_meant() {
    assert_eq!(problems(&destination("secert = 'x'")), ["6: unknown key `secert` (did you mean `secret`?)"]);
    assert_eq!(
        problems("[intake]\nlisten = '127.0.0.1:1'\nport = 5"),
        ["3: unknown key `port` (the keys here are: listen, behind_proxy, body_limit)"]
    );
}

#[test]
fn a_missing_key_and_a_wrong_type_are_named_with_their_line() {
    let missing = problems("[[destination]]\nname = 'a'");
    assert!(missing[0].starts_with("1: missing field `formatter`"), "{missing:?}");
    let wrong = problems("[[source]]\nname = 5\ntoken = 'env:A'");
    assert!(wrong[0].starts_with("2: `name` takes text in quotes, not the number `5`"), "{wrong:?}");
    for (extra, told) in [
        ("concurrency = '4'", "6: `concurrency` takes a whole number without quotes, 0 or more, not text"),
        (
            "concurrency = -1",
            "6: `concurrency` takes a whole number without quotes, 0 or more, not the number `-1`",
        ),
        ("events = ['a', 5]", "6: `events` takes text in quotes, not the number `5`"),
        ("retry = { give_up_attempts = '3' }", "6: `give_up_attempts` takes a whole number"),
        ("enabled = 'no'", "6: `enabled` takes `true` or `false`, not text"),
        ("enabled = true\nname = 'b'", "7: `name` is written twice (keep one of the two)"),
    ] {
        let found = problems(&destination(extra));
        assert!(found[0].starts_with(told), "{found:?}");
    }
    // Somebody's secret in the place of a table.
    let misplaced = problems(&destination("authentication = 's3cr3t'"));
    assert!(misplaced[0].starts_with("6: ") && !misplaced[0].contains("s3cr3t"), "{misplaced:?}");
}

#[test]
fn every_problem_is_reported_in_one_run() {
    let text = "[intake]\nlisten = '0.0.0.0:7410'\n[egress]\nallow = ['10.0.0.0']\n[store]\nsize_limit = 'big'\n\
                [log]\nformat = 'xml'\n[plugins]\nfolder = 'nowhere'\n[[source]]\nname = 'a b'\ntoken = 's3cr3t'\nprofile = 'aegs'\n";
    let found = problems(text);
    for expected in [
        "2: 0.0.0.0:7410 can be reached from other machines",
        "4: `10.0.0.0` is not a network",
        "6: `big` is not a size",
        "8: `xml` is not a log format",
        "10: /nonexistent/nowhere is not a folder",
        "12: `a b` cannot be a name",
        "13: not a secret reference",
        "14: ",
    ] {
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{expected} in {found:#?}");
    }
    assert!(!found.iter().any(|problem| problem.contains("s3cr3t")), "a secret is repeated: {found:?}");
}

#[test]
fn plain_http_is_refused_for_a_destination() {
    let text = destination("").replace("https://", "http://");
    let found = problems(&text);
    assert!(found[0].starts_with("4: ") && found[0].contains("https"), "{found:?}");
}

#[test]
fn addresses_that_may_never_be_dialled_are_refused_when_they_are_written_down() {
    let text = destination("").replace("splunk.example.com", "169.254.169.254");
    assert!(problems(&text)[0].starts_with("4: "), "{:?}", problems(&text));
}

#[test]
fn destinations_that_share_a_name_are_refused() {
    let text = format!("{}\n{}", destination(""), destination(""));
    assert!(
        problems(&text)[0].starts_with("8: there are two destinations named `splunk`"),
        "{:?}",
        problems(&text)
    );
}

#[test]
fn limits_that_could_not_work_are_refused() {
    let text = format!(
        "[intake]\nlisten = '127.0.0.1:7000'\n[admin]\nlisten = '127.0.0.1:7000'\n[store]\nsize_limit = '1 B'\n\
         disk_reserve = '1 MiB'\n{}",
        destination("age_limit = '0s'\ntimeout = '10ms'")
    );
    let found = problems(&text);
    for expected in [
        "4: intake and admin",
        "6: 1 B is too small",
        "7: 1.0 MiB is too small",
        "13: `age_limit` is 0s, shorter than a second",
        "14: `timeout` is 10ms, shorter than a second",
    ] {
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{expected} in {found:#?}");
    }
}

#[test]
fn a_retry_policy_is_read_as_written_and_bounds_move_each_other() {
    let policy = |extra: &str| {
        let config = from_text(destination(extra), Path::new("/nonexistent")).ok().unwrap();
        config.destinations[0].retry.clone()
    };
    let backoff = |shortest: u64, longest: u64| Schedule::Backoff {
        shortest: Duration::from_secs(shortest),
        longest: Duration::from_secs(longest),
    };
    assert_eq!(policy("").schedule, backoff(1, 300));
    assert_eq!(policy("retry = { shortest = '10m' }").schedule, backoff(600, 600));
    let given_up = policy("[destination.retry]\nlongest = '1m'\ngive_up_attempts = 10\ngive_up_age = '12h'");
    assert_eq!(given_up.schedule, backoff(1, 60));
    assert_eq!(given_up.give_up.attempts.unwrap().get(), 10);
    assert_eq!(given_up.give_up.age, Some(Duration::from_secs(12 * 60 * 60)));
    assert_eq!(policy("retry = { preset = 'three-retries' }"), RetryPolicy::three_retries());
}

#[test]
fn the_pace_and_the_room_for_dead_letters_are_read_as_written() {
    let read = |extra: &str| {
        let config = from_text(destination(extra), Path::new("/nonexistent")).ok().unwrap();
        (config.destinations[0].events_per_second, config.destinations[0].dead_letter_limit)
    };
    assert_eq!(read(""), (None, DeadLetterLimit::default()));
    let (rate, limit) = read(
        "events_per_second = 500\ndead_letter_limit = '2 MiB'\nwhen_dead_letters_are_full = 'expire-oldest'",
    );
    assert_eq!(rate.unwrap().get(), 500);
    assert_eq!(limit, DeadLetterLimit { bytes: 2 << 20, when_full: WhenFull::ExpireOldest });
}

#[test]
fn a_retry_policy_that_could_not_work_is_refused() {
    let text = destination(
        "events_per_second = 0\ndead_letter_limit = '5 kB'\nwhen_dead_letters_are_full = 'expire'\nage_limit = '6h'\n\
         [destination.retry]\nshortest = '1h'\nlongest = '1m'\ngive_up_attempts = 0\ngive_up_age = '12h'",
    );
    let found = problems(&text);
    for expected in [
        "6: 0 events a second",
        "7: 4.9 KiB is too small",
        "8: `expire` is not something",
        "11: the shortest wait, 1h, is longer than the longest, 1m",
        "13: an event that is given up after 0 attempts",
        "14: events would expire before they are given up: `give_up_age` is 12h, `age_limit` 6h",
    ] {
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{expected} in {found:#?}");
    }
    let found = problems(&destination("retry = { shortest = '50ms', give_up_age = '10ms' }"));
    for expected in ["6: `shortest` is 50ms, not between", "6: `give_up_age` is 10ms, shorter than a second"]
    {
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{expected} in {found:#?}");
    }
    let found = problems(&destination("[destination.retry]\npreset = 'three-retrys'\nlongest = '1m'"));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().any(|problem| problem.contains("did you mean \"three-retries\"?")), "{found:#?}");
}

const OWN_PROFILE: &str = "[[profile]]\nname = 'gatekeeper'\ndetect = [[{ at = '/vendor', is = 'gatekeeper*' }]]\n\
                           envelope = { id = ['/uid'], type = ['/what'] }\n";

#[test]
fn a_source_may_use_a_profile_of_the_same_file() {
    let text = format!("{OWN_PROFILE}[[source]]\nname = 'a'\ntoken = 'env:A'\nprofile = 'gatekeeper'\n");
    assert!(from_text(text, Path::new("/nonexistent")).is_ok());
    let unknown = format!("{OWN_PROFILE}[[source]]\nname = 'a'\ntoken = 'env:A'\nprofile = 'gatekeper'\n");
    let found = problems(&unknown);
    assert!(found[0].starts_with("8: ") && found[0].contains("did you mean \"gatekeeper\"?"), "{found:?}");
}

#[test]
fn a_mistake_elsewhere_does_not_keep_profiles_from_being_tried() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("siemaphore.toml");
    let write = |text: &str| fs::write(&path, text).unwrap();
    write(&format!("{OWN_PROFILE}[[destination]]\nname = 'a'\nformatter = 'splunk'\nendpoint = 'splunk'\n"));
    assert!(load(&path).is_err());
    assert_eq!(own_profiles(&path).ok().unwrap()[0].name, "gatekeeper");
    write("[[profile]]\nname = 'aisg'\n");
    assert!(!own_profiles(&path).unwrap_err().is_empty());
}

#[test]
fn what_is_wrong_with_a_profile_is_told_once_with_its_line() {
    let text = format!("{OWN_PROFILE}[[profile]]\nname = 'aisg'\nenvelope = {{ id = ['id'] }}\n");
    let found = problems(&text);
    assert!(
        found[0].starts_with("6: `aisg` is the name of a profile that comes with Siemaphore"),
        "{found:?}"
    );
    assert!(found[1].starts_with("7: \"id\" is not a JSON Pointer (write the way"), "{found:?}");
    let twice = problems(&format!("{OWN_PROFILE}{OWN_PROFILE}"));
    assert_eq!(twice, ["6: there are two profiles named `gatekeeper` (give each profile its own name)"]);
    let used =
        "[[source]]\nname = 'a'\ntoken = 'env:A'\nprofile = 'x'\n[[profile]]\nname = 'x'\ndetect = [[]]\n";
    let found = problems(used);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("7: a list without tests"), "{found:?}");
}

#[test]
fn a_source_has_a_token_or_a_signature_and_what_is_wrong_with_it_is_told() {
    let source = |text: &str| problems(&format!("[[source]]\nname = 'a'\n{text}"));
    assert!(source("")[0].starts_with("1: source `a` has no token (write `token = "), "{:?}", source(""));
    let both = source("token = 'env:A'\nsignature = { scheme = 'hmac', secrets = ['env:A'] }");
    assert!(both[0].starts_with("3: source `a` has both a token and a signature"), "{both:?}");
    for (signature, told) in [
        (
            "scheme = 'hmca', secrets = ['env:A']",
            "`hmca` is not a scheme of signing (did you mean \"hmac\"?)",
        ),
        ("scheme = 'hmac', secrets = []", "there is no secret to check signatures with"),
        ("scheme = 'hmac', secrets = ['env:A'], header = 'X Y'", "`X Y` cannot be the name of a header"),
        ("scheme = 'standard-webhooks', secrets = ['env:A'], prefix = 'v1'", "Standard Webhooks has headers"),
    ] {
        let found = source(&format!("signature = {{ {signature} }}"));
        assert!(found.len() == 1 && found[0].starts_with(&format!("3: {told}")), "{found:?}");
    }
    let fine = "[[source]]\nname = 'a'\nsignature = { scheme = 'hmac', secrets = ['env:A'] }\n";
    from_text(fine.to_owned(), Path::new("/nonexistent")).ok().unwrap();
}

//! A file that was cut off, mistyped or mangled is an error with a place, never a crash. The fuzz target has only the
//! text layer of the configuration; this takes mutated files through all of it.

use super::*;

const SEED: &str = "state = 'state'
[intake]
listen = '127.0.0.1:7410'
body_limit = '16 MiB'
[store]
size_limit = '10 GiB'
keep_for = '24h'
[egress]
allow = ['10.0.0.0/8']
[log]
level = 'siemaphore_delivery=debug,info'
[[source]]
name = 'gateway'
token = 'env:GATEWAY_TOKEN'
profile = 'auto'
[[destination]]
name = 'splunk'
formatter = 'splunk'
endpoint = 'https://splunk.example.com:8088'
secret = 'file:/run/secrets/splunk'
events = ['dlp.*']
age_limit = '7d'
events_per_second = 500
settings = { index = 'main', n = 1979-05-27T07:32:00Z, x = [1.5, inf] }
[destination.retry]
shortest = '1s'
give_up_age = '12h'
";

const PIECES: [&str; 22] = [
    "[",
    "]]",
    "{",
    "=",
    "'",
    "\"",
    "'''",
    "\n",
    ".",
    ",",
    "-",
    "0x",
    "inf",
    "nan",
    "9223372036854775808",
    "1979-05-27",
    "\\u0000",
    "ü",
    "\u{202e}",
    "https://[::",
    "99999999999999999999 GiB",
    "584554531 years",
];

fn take(text: String) {
    let lines = text.matches('\n').count() + 1;
    let Err(found) = from_text(text.clone(), Path::new("/nonexistent")) else { return };
    assert!(!found.is_empty(), "refused without a reason: {text}");
    for problem in found {
        assert!(!problem.reason.is_empty() && !problem.hint.is_empty(), "{problem:?} of {text}");
        assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem:?} of {text}");
    }
}

#[test]
fn the_file_itself_is_right() {
    assert!(from_text(SEED.to_owned(), Path::new("/nonexistent")).is_ok(), "{:?}", problems(SEED));
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_an_error_or_valid() {
    (0..SEED.len()).for_each(|end| take(SEED[..end].to_owned()));
}

#[test]
fn a_file_with_anything_anywhere_is_an_error_or_valid() {
    let mut random = fastrand::Rng::with_seed(0x5eed);
    for at in 0..SEED.len() {
        let piece = PIECES[random.usize(..PIECES.len())];
        let end = (at + random.usize(..12)).min(SEED.len());
        take(format!("{}{piece}{}", &SEED[..at], &SEED[at..]));
        take(format!("{}{piece}{}", &SEED[..at], &SEED[end..]));
    }
}

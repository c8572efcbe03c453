//! What passes between host and guest, and how a guest's trouble is told apart from the host's.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/events.rs"]
mod events;
#[path = "support/guest.rs"]
mod guest;
#[path = "support/responses.rs"]
mod responses;

use std::sync::LazyLock;

use events::events;
use guest::Guest;
use responses::response;
use siemaphore_model::formatter::Verdict;
use siemaphore_sandbox::{
    Configuration, FormatError, Formatted, Formatter, GuestLimits, HostError, Sandbox, SandboxConfig,
};

static SANDBOX: LazyLock<Sandbox> =
    LazyLock::new(|| Sandbox::new(SandboxConfig::default()).expect("a sandbox"));

fn load(guest: &Guest) -> Formatter {
    SANDBOX.load("guest", &guest.component(), GuestLimits::default()).expect("it loads")
}

fn configuration() -> Configuration {
    Configuration { settings: "{}".to_owned(), destination: "d1".to_owned() }
}

fn format(guest: &Guest, count: usize) -> Result<Formatted, FormatError> {
    let events = events(count, 100);
    load(guest).format(&configuration(), &events.iter().collect::<Vec<_>>())
}

#[test]
fn a_fault_repeats_the_guests_last_words_cleaned() {
    let guest = Guest::honest()
        .printing()
        .extra("(data (i32.const 600) \"starting\\0a\\1b[1mout of tokens\\1b[0m\\0a\")")
        .format("(call $print (i32.const 600) (i32.const 31)) (unreachable)");
    let error = format(&guest, 0).unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("formatter `guest` trapped (") && message.contains("unreachable"),
        "{message}"
    );
    assert!(message.ends_with("in `format`; it said: out of tokens"), "{message}");
}

#[test]
fn refused_settings_and_a_refused_batch_are_the_guests_word_and_no_fault() {
    // An `err` of one problem: pointer "/index", message "no".
    let configure = Guest::honest()
        .extra(
            "(data (i32.const 620) \"/indexno\")
                (data (i32.const 5000) \"\\6c\\02\\00\\00\\06\\00\\00\\00\\72\\02\\00\\00\\02\\00\\00\\00\")
                (data (i32.const 6000) \"\\01\\00\\00\\00\\00\\00\\00\\00\\88\\13\\00\\00\\01\\00\\00\\00\")",
        )
        .configure("(i32.const 6000)");
    let error = load(&configure).configure(&configuration()).unwrap_err();
    assert_eq!(error.to_string(), "the formatter refuses the settings: /index: no");

    let format_no = Guest::honest()
        .extra("(data (i32.const 620) \"no\") (data (i32.const 6000) \"\\01\\00\\00\\00\\6c\\02\\00\\00\\02\\00\\00\\00\")")
        .format("(i32.const 6000)");
    let error = format(&format_no, 1).unwrap_err();
    assert!(matches!(&error, FormatError::Refused(reason) if reason == "no"), "{error:?}");
}

#[test]
fn a_call_takes_only_so_much() {
    let error = format(&Guest::honest(), 2_001).unwrap_err();
    assert!(matches!(error, FormatError::Host(HostError::TooManyEvents { count: 2_001, .. })), "{error:?}");
    let events = events(20, 256 << 10);
    let error =
        load(&Guest::honest()).format(&configuration(), &events.iter().collect::<Vec<_>>()).unwrap_err();
    assert!(matches!(error, FormatError::Host(HostError::TooManyBytes { .. })), "{error:?}");
}

#[test]
fn an_answer_is_interpreted_in_an_instance_of_its_own() {
    // `split` (4) for status 413, else `standard` (0).
    let guest = Guest::honest().interpret(
        "(if (i32.eq (local.get $status) (i32.const 413)) (then (i32.store8 (i32.const 8192) (i32.const 4))))
         (i32.const 8192)",
    );
    let formatter = load(&guest);
    let ask = |status| formatter.interpret(&configuration(), &response(status, "{}")).unwrap();
    assert_eq!([ask(413), ask(200), ask(413)], [Verdict::Split, Verdict::Standard, Verdict::Split]);
}

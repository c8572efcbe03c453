//! What guests see of the world, what they may return, and how their trouble is told apart.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/events.rs"]
mod events;
#[path = "support/guest.rs"]
mod guest;

use std::sync::LazyLock;

use events::events;
use guest::Guest;
use siemaphore_model::formatter::{Phase, Response, Verdict};
use siemaphore_sandbox::{
    Call, Configuration, ConfigureError, FaultKind, FormatError, Formatted, Formatter, GuestLimits,
    HostError, Sandbox, SandboxConfig,
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

fn broken_promise(guest: &Guest, count: usize) -> String {
    match format(guest, count) {
        Err(FormatError::Fault(fault)) => match fault.kind {
            FaultKind::Contract(reason) => reason,
            other => panic!("no broken promise but {other:?}"),
        },
        other => panic!("no fault but {other:?}"),
    }
}

/// A `format` that returns one record of everything that a guest can learn from its system.
fn curious() -> Guest {
    Guest::honest()
        .import("wasi:clocks/wall-clock", "now", "(func $wall (param i32))")
        .import("wasi:clocks/monotonic-clock", "now", "(func $monotonic (result i64))")
        .import("wasi:random/random", "get-random-u64", "(func $random (result i64))")
        .import("wasi:cli/environment", "get-environment", "(func $environment (param i32))")
        .import("wasi:cli/environment", "get-arguments", "(func $arguments (param i32))")
        .import("wasi:filesystem/preopens", "get-directories", "(func $folders (param i32))")
        .format(
            "(call $wall (i32.const 0x10000))
             (i64.store (i32.const 0x10010) (call $monotonic))
             (i64.store (i32.const 0x10018) (call $random))
             (call $environment (i32.const 0x10020))
             (call $arguments (i32.const 0x10028))
             (call $folders (i32.const 0x10030))
             (i32.store (i32.const 0x20000) (i32.const 56))
             (i32.store (i32.const 4100) (i32.const 0x10000)) (i32.store (i32.const 4104) (i32.const 56))
             (i32.store (i32.const 4108) (i32.const 0x20000)) (i32.store (i32.const 4112) (i32.const 1))
             (i32.const 4096)",
        )
}

#[test]
fn the_virtual_system_is_empty_and_the_same_for_every_instance() {
    let formatter = load(&curious());
    let events = events(1, 100);
    let events: Vec<_> = events.iter().collect();
    let first = formatter.format(&configuration(), &events).unwrap().records.data;
    let second = formatter.format(&configuration(), &events).unwrap().records.data;
    assert_eq!(first, second);
    let word = |at: usize| u64::from_le_bytes(first[at..at + 8].try_into().unwrap());
    assert_eq!((word(0), word(8) as u32), (946_684_800, 0), "the wall clock says 2000-01-01");
    assert_eq!(word(16), 0, "the monotonic clock stands at its origin");
    assert_ne!(word(24), 0, "there is a random number");
    for (at, what) in [(32, "variables"), (40, "arguments"), (48, "folders")] {
        assert_eq!(word(at) >> 32, 0, "there are no {what}");
    }
}

#[test]
fn a_flood_on_standard_output_is_dropped_and_counted() {
    // A thousand writes of 4,000 bytes.
    let guest = Guest::honest().printing().format(
        "(loop $l
           (call $print (i32.const 0x10000) (i32.const 4000))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $l (i32.lt_u (local.get $i) (i32.const 1000))))
         (i32.const 4096)",
    );
    let figures = format(&guest, 0).unwrap().figures;
    assert_eq!(figures.log_bytes, 4_000_000);
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
fn a_guest_that_exits_is_a_fault() {
    let guest = Guest::honest()
        .import("wasi:cli/exit", "exit", "(func $exit (param i32))")
        .format("(call $exit (i32.const 0)) (unreachable)");
    assert_eq!(format(&guest, 0).unwrap_err().to_string(), "formatter `guest` ended itself in `format`");
}

#[test]
fn lies_about_records_are_faults() {
    assert_eq!(broken_promise(&Guest::honest().format("(i32.const 4096)"), 1), "0 ends for 1 events");
    let endless =
        "(i32.store (i32.const 4112) (i32.const 1)) (i32.store (i32.const 4108) (i32.const 0x20000))";
    assert_eq!(
        broken_promise(&Guest::honest().format(&format!("{endless} (i32.const 4096)")), 1),
        "event 0 has neither a record nor a rejection"
    );
    let beyond = "(i32.store (i32.const 4100) (i32.const -16)) (i32.store (i32.const 4104) (i32.const 64))";
    let reason = broken_promise(&Guest::honest().format(&format!("{beyond} (i32.const 4096)")), 0);
    assert!(reason.contains("out of bounds"), "{reason}");
}

#[test]
fn a_newline_in_a_record_breaks_newline_framing_only() {
    // One record, a line feed. The framing of the profile is the byte at 2048 + 8 + 52.
    let line_feed =
        "(i32.store8 (i32.const 0x10000) (i32.const 10)) (i32.store (i32.const 0x20000) (i32.const 1))
        (i32.store (i32.const 4100) (i32.const 0x10000)) (i32.store (i32.const 4104) (i32.const 1))
        (i32.store (i32.const 4108) (i32.const 0x20000)) (i32.store (i32.const 4112) (i32.const 1))
        (i32.const 4096)";
    format(&Guest::honest().format(line_feed), 1).unwrap();
    let newline = Guest::honest().format(line_feed).extra("(data (i32.const 2108) \"\\01\")");
    assert!(broken_promise(&newline, 1).contains("newline"));
}

#[test]
fn a_profile_with_a_limit_of_nothing_is_a_fault() {
    let guest = Guest::honest().extra("(data (i32.const 2136) \"\\00\\00\\00\\00\")");
    let Err(ConfigureError::Fault(fault)) = load(&guest).configure(&configuration()) else {
        panic!("no fault")
    };
    assert_eq!(fault.kind, FaultKind::Contract("the profile's limit `records` is 0".to_owned()));
    assert_eq!(fault.call, Call::Configure);
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
    let ask = |status| {
        let response = Response {
            phase: Phase::First,
            state: Vec::new(),
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: b"{}".to_vec(),
            truncated: false,
            records: 1,
            body_bytes: 10,
        };
        formatter.interpret(&configuration(), &response).unwrap()
    };
    assert_eq!([ask(413), ask(200), ask(413)], [Verdict::Split, Verdict::Standard, Verdict::Split]);
}

#[test]
fn formatting_runs_on_threads_of_its_own() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sandbox = Sandbox::new(SandboxConfig { formatting_threads: 2, queue: 1 }).unwrap();
    let name = || std::thread::current().name().unwrap_or_default().to_owned();
    // More work than threads and queue hold: the rest waits its turn.
    let work: Vec<_> = (0..32).map(|_| sandbox.run(name)).collect();
    // The futures hold the way to the threads, so the handle may go.
    drop(sandbox);
    for work in work {
        assert!(runtime.block_on(work).unwrap().starts_with("formatting-"));
    }
}

#[test]
fn work_that_panics_panics_its_caller_and_not_the_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sandbox = Sandbox::new(SandboxConfig { formatting_threads: 1, queue: 1 }).unwrap();
    let panicking = sandbox.run(|| panic!("on purpose"));
    let result: Result<Result<(), _>, _> =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(panicking)));
    assert!(result.is_err());
    assert_eq!(runtime.block_on(sandbox.run(|| 7)), Ok(7));
}

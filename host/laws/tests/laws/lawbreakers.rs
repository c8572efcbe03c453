//! Formatters that break one law each, and what their authors are told.

use std::sync::LazyLock;
use std::time::Duration;

use crate::guest::Guest;
use siemaphore_laws::{Broken, Law, Report, corpus};
use siemaphore_sandbox::{Configuration, Formatter, GuestLimits, Sandbox, SandboxConfig};

static SANDBOX: LazyLock<Sandbox> =
    LazyLock::new(|| Sandbox::new(SandboxConfig::default()).expect("a sandbox"));

fn load(guest: &Guest, limits: GuestLimits) -> Formatter {
    SANDBOX.load("guest", &guest.component(), limits).expect("it loads")
}

fn check_within(guest: &Guest, limits: GuestLimits) -> Report {
    let formatter = load(guest, limits);
    let settings = formatter.description().settings_example.clone();
    let configuration = Configuration { settings, destination: "check".to_owned() };
    siemaphore_laws::check(&formatter, &configuration).unwrap()
}

fn check(guest: &Guest) -> Report {
    check_within(guest, GuestLimits::default())
}

/// The first law that it breaks.
fn broken(guest: &Guest) -> Broken {
    check(guest).broken.into_iter().next().unwrap_or_else(|| panic!("it breaks no law"))
}

/// That it breaks this law and no other.
#[track_caller]
fn breaks_only(law: Law, report: &Report) -> &Broken {
    let laws: Vec<Law> = report.broken.iter().map(|broken| broken.law).collect();
    assert!(!laws.is_empty() && laws.iter().all(|broken| *broken == law), "{:#?}", report.broken);
    assert!(!report.is_lawful());
    &report.broken[0]
}

/// A `format` whose records are the first bytes of the text at 600, one after the other: `length` is an expression of
/// `$i` and `$count`.
fn records(text: &str, length: &str) -> Guest {
    Guest::honest().extra(&format!("(data (i32.const 600) \"{text}\")")).format(&format!(
        "(local $at i32) (local $length i32)
         (local.set $at (i32.const 0x10000))
         (block $done (loop $next
           (br_if $done (i32.eq (local.get $i) (local.get $count)))
           (local.set $length {length})
           (memory.copy (local.get $at) (i32.const 600) (local.get $length))
           (local.set $at (i32.add (local.get $at) (local.get $length)))
           (i32.store (i32.add (i32.const 0x20000) (i32.shl (local.get $i) (i32.const 2)))
             (i32.sub (local.get $at) (i32.const 0x10000)))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br $next)))
         (i32.store (i32.const 4100) (i32.const 0x10000))
         (i32.store (i32.const 4104) (i32.sub (local.get $at) (i32.const 0x10000)))
         (i32.store (i32.const 4108) (i32.const 0x20000)) (i32.store (i32.const 4112) (local.get $count))
         (i32.const 4096)"
    ))
}

/// Something else when the first event's document has this many bytes. The length is an event's last word of 96 bytes.
fn on_document_of(bytes: usize, instead: &str) -> String {
    format!("(if (i32.eq (i32.load offset=92 (local.get $events)) (i32.const {bytes})) (then {instead}))")
}

/// Does this before it formats honestly.
fn honest_format_after(first: &str) -> Guest {
    let honest = "(memory.fill (i32.const 0x10000) (i32.const 49) (local.get $count))
         (block $done (loop $next
           (br_if $done (i32.eq (local.get $i) (local.get $count)))
           (i32.store (i32.add (i32.const 0x20000) (i32.shl (local.get $i) (i32.const 2)))
             (i32.add (local.get $i) (i32.const 1)))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br $next)))
         (i32.store (i32.const 4100) (i32.const 0x10000)) (i32.store (i32.const 4104) (local.get $count))
         (i32.store (i32.const 4108) (i32.const 0x20000)) (i32.store (i32.const 4112) (local.get $count))
         (i32.const 4096)";
    Guest::honest().format(&format!("{first} {honest}"))
}

#[test]
fn an_honest_formatter_breaks_no_law_and_leaves_figures() {
    let report = check(&Guest::honest());
    assert!(report.is_lawful(), "{:#?}", report.broken);
    assert!(Law::ALL.iter().all(|law| report.is_checked(*law)));
    assert_eq!(report.events, corpus().cases().count());
    assert_eq!((report.rejected, report.too_large), (0, 0));
    let worst = report.worst;
    assert!(worst.cpu > Duration::ZERO && worst.wall >= worst.cpu / 2, "{worst:?}");
    assert!(worst.input_bytes > 3 << 20 && worst.peak_memory_bytes > worst.input_bytes, "{worst:?}");
    assert_eq!(worst.output_bytes, 2_000, "the largest batch is as large as one may be");
}

#[test]
fn a_trap_on_one_event_names_the_event() {
    let case = corpus().case("shapes/64-levels-of-arrays").unwrap();
    let bytes = case.event.document().len();
    assert_eq!(corpus().cases().filter(|case| case.event.document().len() == bytes).count(), 1);
    let guest = honest_format_after(&on_document_of(bytes, "unreachable"));
    let report = check(&guest);
    let broken = breaks_only(Law::Total, &report);
    assert_eq!(broken.event, Some("shapes/64-levels-of-arrays"));
    assert_eq!(
        broken.to_string(),
        "it breaks the law `total`: event `shapes/64-levels-of-arrays`: formatter `guest` trapped (wasm trap: wasm \
         `unreachable` instruction executed) in `format`"
    );
    assert_eq!(report.broken.len(), 1, "the other events are formatted without it");
    assert!(report.is_checked(Law::Deterministic));
}

#[test]
fn a_formatter_that_traps_on_everything_is_told_of_a_few_times() {
    let report = check(&Guest::honest().format("(unreachable)"));
    breaks_only(Law::Total, &report);
    assert!((2..=8).contains(&report.broken.len()), "{}", report.broken.len());
    assert!(!report.is_checked(Law::BatchSplit));
}

#[test]
fn an_exit_breaks_totality_too() {
    let guest = Guest::honest()
        .import("wasi:cli/exit", "exit", "(func $exit (param i32))")
        .format("(call $exit (i32.const 0)) (unreachable)");
    assert_eq!(broken(&guest).law, Law::Total);
}

#[test]
fn a_rejection_needs_a_reason() {
    // Every event of a call is rejected with the text at 700, of the given length.
    let rejecting = |length: usize| {
        Guest::honest().extra("(data (i32.const 700) \"no\")").format(&format!(
            "(local $at i32)
             (local.set $at (i32.const 0x28000))
             (memory.fill (i32.const 0x20000) (i32.const 0) (i32.shl (local.get $count) (i32.const 2)))
             (block $done (loop $next
               (br_if $done (i32.eq (local.get $i) (local.get $count)))
               (i32.store (local.get $at) (local.get $i))
               (i32.store offset=4 (local.get $at) (i32.const 700))
               (i32.store offset=8 (local.get $at) (i32.const {length}))
               (local.set $at (i32.add (local.get $at) (i32.const 12)))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br $next)))
             (i32.store (i32.const 4108) (i32.const 0x20000)) (i32.store (i32.const 4112) (local.get $count))
             (i32.store (i32.const 4116) (i32.const 0x28000)) (i32.store (i32.const 4120) (local.get $count))
             (i32.const 4096)"
        ))
    };
    let report = check(&rejecting(2));
    assert!(report.is_lawful(), "{:#?}", report.broken);
    assert_eq!(report.rejected, report.events);
    let report = check(&rejecting(0));
    let broken = breaks_only(Law::Total, &report);
    assert_eq!(broken.detail, "it is rejected without a reason");
}

#[test]
fn a_record_that_counts_breaks_the_law_of_batches() {
    // The records are 1, 12, 123, and so on by the place in the batch.
    let report =
        check(&records("12345678", "(i32.add (i32.const 1) (i32.and (local.get $i) (i32.const 7)))"));
    let broken = breaks_only(Law::BatchSplit, &report);
    assert!(broken.event.is_some());
    assert!(broken.detail.starts_with("alone it is `1`, in a batch of "), "{}", broken.detail);
    assert!(broken.detail.ends_with(" it is `12`"), "{}", broken.detail);
    assert!(broken.hint().contains("its own event alone"));
}

#[test]
fn a_record_that_depends_on_a_full_batch_breaks_the_law_of_batches() {
    let full = "(i32.add (i32.const 1) (i32.eq (local.get $count) (i32.const 2000)))";
    let report = check(&records("12", full));
    let broken = breaks_only(Law::BatchSplit, &report);
    assert_eq!(broken.detail, "alone it is `1`, in a batch of 2000 it is `12`");
}

#[test]
fn a_batch_that_is_refused_although_its_events_are_not_breaks_the_law_of_batches() {
    let refuse = "(if (i32.gt_u (local.get $count) (i32.const 1)) (then (return (i32.const 6000))))";
    // An `err` with the text at 620.
    let report = check(&honest_format_after(refuse).extra(
        "(data (i32.const 620) \"one only\")
         (data (i32.const 6000) \"\\01\\00\\00\\00\\6c\\02\\00\\00\\08\\00\\00\\00\")",
    ));
    let broken = breaks_only(Law::BatchSplit, &report);
    assert!(broken.detail.starts_with("it refuses a batch of "), "{}", broken.detail);
    assert!(broken.detail.ends_with(" events and formats each of them alone: one only"), "{}", broken.detail);
}

#[test]
fn records_that_are_no_json_are_dishonest() {
    for (text, length, expected) in [
        ("{]", 2, "the record is not JSON"),
        ("1,2", 3, "the record is not JSON"),
        ("\\22\\ff\\22", 3, "the record is not UTF-8 from its byte 1 on"),
    ] {
        let report = check(&records(text, &format!("(i32.const {length})")));
        let broken = breaks_only(Law::HonestRecords, &report);
        assert!(broken.detail.contains(expected), "{text}: {}", broken.detail);
        assert_eq!(broken.event, corpus().cases().next().map(|case| case.name));
    }
}

#[test]
fn a_newline_under_newline_framing_and_ends_that_lie_are_dishonest() {
    // The framing is the byte at 2108.
    let lines = records("1\\0a2", "(i32.const 3)").extra("(data (i32.const 2108) \"\\01\")");
    assert!(breaks_only(Law::HonestRecords, &check(&lines)).detail.contains("newline"));
    let nothing = Guest::honest().format("(i32.const 4096)");
    assert!(breaks_only(Law::HonestRecords, &check(&nothing)).detail.contains("0 ends for 1 events"));
}

#[test]
fn too_much_of_anything_breaks_the_law_of_limits() {
    let limits = || GuestLimits { cpu: Duration::from_millis(100), ..GuestLimits::default() };
    for (format, expected) in [
        ("(loop $l (br $l)) (unreachable)", "CPU time"),
        ("(loop $l (drop (memory.grow (i32.const 1))) (br $l)) (unreachable)", "memory"),
        // Seventeen MiB of what is there.
        (
            "(drop (memory.grow (i32.const 300))) (i32.store (i32.const 4104) (i32.const 0x1100000)) (i32.const 4096)",
            "output",
        ),
    ] {
        let report = check_within(&Guest::honest().format(format), limits());
        let broken = breaks_only(Law::Bounded, &report);
        assert!(broken.detail.contains(expected), "{format}: {}", broken.detail);
    }
    let endless = check_within(&Guest::honest().format("(loop $l (br $l)) (unreachable)"), limits());
    assert_eq!(endless.broken.len(), 1, "what takes all its time once is not asked again");
}

#[test]
fn a_formatter_that_is_slow_on_every_event_ends_the_check() {
    // Each call takes long and none exceeds its limit; all together do.
    let slow = "(local $n i64)
        (loop $l (local.set $n (i64.add (local.get $n) (i64.const 1)))
          (br_if $l (i64.lt_u (local.get $n) (i64.const 30000000))))";
    let limits = GuestLimits { cpu: Duration::from_millis(150), ..GuestLimits::default() };
    let report = check_within(&honest_format_after(slow), limits);
    let broken = breaks_only(Law::Bounded, &report);
    assert!(broken.detail.contains("CPU time"), "{}", broken.detail);
    assert!(report.calls < 400, "{}", report.calls);
}

#[test]
fn a_failure_that_is_taken_for_a_delivery_breaks_the_law_of_answers() {
    let guest = Guest::honest().interpret("(i32.store8 (i32.const 8192) (i32.const 1)) (i32.const 8192)");
    let report = check(&guest);
    let broken = breaks_only(Law::Answers, &report);
    assert_eq!(broken.detail, "it takes the answer `302` for a delivery");
}

#[test]
fn a_trap_on_an_answer_breaks_the_law_of_answers() {
    let on_html = "(if (i32.eq (local.get $status) (i32.const 502)) (then (unreachable))) (i32.const 8192)";
    let report = check(&Guest::honest().interpret(on_html));
    let broken = breaks_only(Law::Answers, &report);
    assert!(broken.detail.starts_with("on the answer `502 with a web page`: "), "{}", broken.detail);
    assert_eq!(report.broken.len(), 1);
}

#[test]
fn an_answer_that_takes_too_much_breaks_the_law_of_limits() {
    let hungry = "(loop $l (drop (memory.grow (i32.const 1))) (br $l)) (unreachable)";
    let report = check(&Guest::honest().interpret(hungry));
    let broken = breaks_only(Law::Bounded, &report);
    assert!(broken.detail.starts_with("on the answer `200 with nothing`: "), "{}", broken.detail);
    assert!(report.is_checked(Law::Total) && !report.is_checked(Law::Bounded));
}

/// Replaces a text of the description: its address is at `field`.
fn describing(field: u32, text: &str) -> Guest {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    let [a, b, c, d] = u32::try_from(text.len()).unwrap().to_le_bytes();
    Guest::honest().extra(&format!(
        "(data (i32.const 0x9000) \"{escaped}\")
         (data (i32.const {field}) \"\\00\\90\\00\\00\\{a:02x}\\{b:02x}\\{c:02x}\\{d:02x}\")"
    ))
}

const NAME: u32 = 1024;
const VERSION: u32 = 1032;
const SCHEMA: u32 = 1064;
const EXAMPLE: u32 = 1072;

#[test]
fn a_formatter_says_its_name_and_version() {
    for (field, text, expected) in [
        (NAME, "", "the name \"\""),
        (NAME, "My SIEM", "the name \"My SIEM\""),
        (VERSION, "", "the version \"\""),
        (VERSION, "v1", "the version \"v1\""),
    ] {
        let report = check(&describing(field, text));
        let broken = breaks_only(Law::Description, &report);
        assert!(broken.detail.starts_with(expected), "{}", broken.detail);
        assert!(report.is_checked(Law::Answers), "the other laws are checked all the same");
    }
}

#[test]
fn schema_and_example_fit_together() {
    for (field, text, expected) in [
        (SCHEMA, "", "there is no settings schema"),
        (SCHEMA, "{", "the settings schema is not JSON"),
        (SCHEMA, r#"{"type":"nothing"}"#, "the settings schema is no JSON Schema 2020-12"),
        (SCHEMA, r#"{"$ref":"https://example.com/schema"}"#, "the settings schema refers to"),
        (SCHEMA, r##"{"$ref":"#"}"##, "the settings schema refers to itself"),
        (SCHEMA, r#"{"required":["index"]}"#, "the settings example does not fit the schema"),
        (EXAMPLE, "", "the settings example is not JSON"),
        (EXAMPLE, "[]", "the settings example is not a JSON object"),
    ] {
        let report = check(&describing(field, text));
        let broken = breaks_only(Law::Settings, &report);
        assert!(broken.detail.starts_with(expected), "{text}: {}", broken.detail);
    }
}

/// An `err` of one problem: pointer "/index", message "no".
const REFUSAL: &str = "
    (data (i32.const 620) \"/indexno\")
    (data (i32.const 5000) \"\\6c\\02\\00\\00\\06\\00\\00\\00\\72\\02\\00\\00\\02\\00\\00\\00\")
    (data (i32.const 6000) \"\\01\\00\\00\\00\\00\\00\\00\\00\\88\\13\\00\\00\\01\\00\\00\\00\")";

#[test]
fn settings_that_are_refused_end_the_check_and_are_shown() {
    let report = check(&Guest::honest().extra(REFUSAL).configure("(i32.const 6000)"));
    let broken = breaks_only(Law::Settings, &report);
    assert_eq!(broken.detail, "the formatter refuses the settings: /index: no; the settings are {}");
    assert!(!report.is_checked(Law::Settings) && !report.is_checked(Law::Total));
}

#[test]
fn the_example_is_checked_also_when_other_settings_are_given() {
    // Refuses settings of two bytes, which the example has.
    let choosy =
        "(if (i32.eq (local.get 1) (i32.const 2)) (then (return (i32.const 6000)))) (i32.const 2048)";
    let formatter = load(&Guest::honest().extra(REFUSAL).configure(choosy), GuestLimits::default());
    let configuration = Configuration { settings: r#"{"a":1}"#.to_owned(), destination: "check".to_owned() };
    let report = siemaphore_laws::check(&formatter, &configuration).unwrap();
    let broken = breaks_only(Law::Settings, &report);
    assert!(broken.detail.starts_with("with its own example, the formatter refuses"), "{}", broken.detail);
    assert!(report.is_checked(Law::Total));
}

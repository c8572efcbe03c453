//! Hostile guests against every limit. Each is a few lines of WebAssembly around an honest formatter.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/events.rs"]
mod events;
#[path = "support/guest.rs"]
mod guest;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use events::events;
use guest::Guest;
use siemaphore_sandbox::{
    Call, Configuration, ConfigureError, Fault, FaultKind, FormatError, Formatter, GuestLimits, Limit,
    LoadError, Sandbox, SandboxConfig,
};

const ENDLESS: &str = "(loop $l (br $l)) (unreachable)";
/// Far above what an honest call takes and far below what a test should wait.
const CPU: Duration = Duration::from_millis(100);

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    Sandbox::new(SandboxConfig { formatting_threads: 6, ..SandboxConfig::default() }).expect("a sandbox")
});

fn limits() -> GuestLimits {
    GuestLimits { cpu: CPU, memory_bytes: 4 << 20, output_bytes: 64 << 10, ..GuestLimits::default() }
}

fn load(guest: &Guest) -> Result<Formatter, LoadError> {
    SANDBOX.load("hostile", &guest.component(), limits())
}

fn configuration() -> Configuration {
    Configuration { settings: "{}".to_owned(), destination: "d1".to_owned() }
}

/// Formats ten events and expects the guest to break.
fn fault(guest: &Guest) -> Fault {
    let events = events(10, 100);
    match load(guest).unwrap().format(&configuration(), &events.iter().collect::<Vec<_>>()) {
        Err(FormatError::Fault(fault)) => fault,
        other => panic!("no fault but {other:?}"),
    }
}

fn limit(guest: &Guest) -> Limit {
    match fault(guest).kind {
        FaultKind::Limit(limit) => limit,
        other => panic!("no limit but {other:?}"),
    }
}

#[test]
fn an_honest_guest_stays_within_its_limits_and_leaves_figures() {
    let formatter = load(&Guest::honest()).unwrap();
    assert_eq!(formatter.description().title, "Test Guest");
    let events = events(2_000, 100);
    let events: Vec<_> = events.iter().collect();
    let formatted = formatter.format(&configuration(), &events).unwrap();
    assert_eq!(formatted.records.iter().collect::<Vec<_>>(), vec![b"1"; 2_000]);
    let figures = formatted.figures;
    assert_eq!(figures.output_bytes, 2_000);
    assert_eq!(figures.input_bytes, events.iter().map(|event| event.document().len() as u64).sum::<u64>());
    assert!(figures.peak_memory_bytes >= 4 << 16 && figures.cpu > Duration::ZERO, "{figures:?}");
}

#[test]
fn an_endless_loop_in_describe_ends_the_load() {
    let Err(LoadError::Fault(fault)) = load(&Guest::honest().describe(ENDLESS)) else { panic!("it loaded") };
    assert_eq!((fault.call, fault.kind), (Call::Describe, FaultKind::Limit(Limit::Cpu { limit: CPU })));
}

#[test]
fn an_endless_loop_at_start_up_ends_the_load() {
    let guest = Guest::honest().extra("(func $start (loop $l (br $l))) (start $start)");
    let Err(LoadError::Fault(fault)) = load(&guest) else { panic!("it loaded") };
    assert_eq!((fault.call, fault.kind), (Call::Instantiate, FaultKind::Limit(Limit::Cpu { limit: CPU })));
}

#[test]
fn an_endless_loop_in_configure_is_cut_at_the_cpu_limit() {
    let formatter = load(&Guest::honest().configure(ENDLESS)).unwrap();
    let Err(ConfigureError::Fault(fault)) = formatter.configure(&configuration()) else { panic!("it ended") };
    assert_eq!((fault.call, fault.kind), (Call::Configure, FaultKind::Limit(Limit::Cpu { limit: CPU })));
}

#[test]
fn an_endless_loop_in_format_is_cut_at_the_cpu_limit_and_says_so() {
    let fault = fault(&Guest::honest().format(ENDLESS));
    assert_eq!(fault.to_string(), "formatter `hostile` exceeded its limit of 100ms of CPU time in `format`");
    assert!(fault.figures.cpu >= CPU && fault.figures.cpu < CPU * 5, "{:?}", fault.figures);
}

#[test]
fn an_endless_chain_of_tail_calls_is_cut_too() {
    let guest =
        Guest::honest().extra("(func $again (result i32) (return_call $again))").format("(call $again)");
    assert_eq!(limit(&guest), Limit::Cpu { limit: CPU });
}

#[test]
fn time_that_passes_is_limited_apart_from_cpu_time() {
    let limits = GuestLimits { wall: Duration::from_millis(50), ..GuestLimits::default() };
    let guest = Guest::honest().format(ENDLESS);
    let formatter = SANDBOX.load("slow", &guest.component(), limits).unwrap();
    let Err(FormatError::Fault(fault)) = formatter.format(&configuration(), &[]) else { panic!("it ended") };
    assert_eq!(fault.kind, FaultKind::Limit(Limit::Wall { limit: Duration::from_millis(50) }));
}

#[test]
fn memory_is_limited() {
    let guest = Guest::honest().format("(loop $l (drop (memory.grow (i32.const 1))) (br $l)) (unreachable)");
    assert_eq!(limit(&guest), Limit::Memory { limit_bytes: 4 << 20 });
}

#[test]
fn memory_is_summed_over_all_memories() {
    // Each stays below the limit by itself.
    let guest = Guest::honest().extra("(memory $b 1) (memory $c 1) (memory $d 1)").format(
        "(drop (memory.grow $b (i32.const 30))) (drop (memory.grow $c (i32.const 30)))
         (drop (memory.grow $d (i32.const 30))) (i32.const 4096)",
    );
    assert_eq!(limit(&guest), Limit::Memory { limit_bytes: 4 << 20 });
}

#[test]
fn tables_count_as_memory() {
    let limits = GuestLimits { memory_bytes: 512 << 10, ..limits() };
    let guest = Guest::honest()
        .extra("(table $t 1 funcref)")
        .format("(drop (table.grow $t (ref.null func) (i32.const 60000))) (i32.const 4096)");
    let formatter = SANDBOX.load("tables", &guest.component(), limits).unwrap();
    let Err(FormatError::Fault(fault)) = formatter.format(&configuration(), &[]) else { panic!("it grew") };
    assert_eq!(fault.kind, FaultKind::Limit(Limit::Memory { limit_bytes: 512 << 10 }));
}

#[test]
fn a_guest_that_starts_above_the_memory_limit_does_not_load() {
    let guest = Guest::honest().memory("(memory (export \"memory\") 100)");
    let Err(LoadError::Fault(fault)) = load(&guest) else { panic!("it loaded") };
    assert_eq!(fault.kind, FaultKind::Limit(Limit::Memory { limit_bytes: 4 << 20 }));
    assert_eq!(fault.to_string(), "formatter `hostile` exceeded its limit of 4 MiB of memory in start-up");
}

#[test]
fn deep_recursion_ends_at_the_stack_limit() {
    let guest = Guest::honest()
        .extra("(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))")
        .format("(call $deep (i32.const 0))");
    assert_eq!(limit(&guest), Limit::Stack);
}

#[test]
fn output_over_the_cap_is_not_copied() {
    let guest = Guest::honest().format(
        "(i32.store (i32.const 4100) (i32.const 0)) (i32.store (i32.const 4104) (i32.const 200000))
         (i32.const 4096)",
    );
    assert_eq!(limit(&guest), Limit::Output { limit_bytes: 64 << 10 });
}

#[test]
fn lists_over_the_cap_are_not_copied() {
    // A quarter of a million ends, or rejections.
    for offset in [4108, 4116] {
        let guest = Guest::honest().memory("(memory (export \"memory\") 60)").format(&format!(
            "(i32.store (i32.const {offset}) (i32.const 0))
             (i32.store (i32.const {}) (i32.const 250000)) (i32.const 4096)",
            offset + 4
        ));
        assert_eq!(limit(&guest), Limit::Output { limit_bytes: 64 << 10 });
    }
}

#[test]
fn handles_are_limited() {
    let guest = Guest::honest()
        .import("wasi:cli/stdout", "get-stdout", "(func $get-stdout (result i32))")
        .format("(loop $l (drop (call $get-stdout)) (br $l)) (unreachable)");
    assert!(matches!(limit(&guest), Limit::Handles { .. }));
}

#[test]
fn a_sleeping_guest_comes_back_at_once() {
    let guest = Guest::honest()
        .import("wasi:clocks/monotonic-clock", "subscribe-duration", "(func $sleep (param i64) (result i32))")
        .import("wasi:io/poll", "[method]pollable.block", "(func $block (param i32))")
        .format("(call $block (call $sleep (i64.const 3600000000000))) (i32.const 4096)");
    let begun = Instant::now();
    load(&guest).unwrap().format(&configuration(), &[]).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn limits_hold_on_every_call_and_after_a_fault() {
    // Loops on a batch of one, and formats all others.
    let guest = Guest::honest().extra(&format!("(func $loop {ENDLESS})")).format(
        "(if (i32.eq (local.get $count) (i32.const 1)) (then (call $loop)))
         (i32.const 4096)",
    );
    let formatter = load(&guest).unwrap();
    let events = events(1, 100);
    let events: Vec<_> = events.iter().collect();
    for _ in 0..3 {
        let Err(FormatError::Fault(fault)) = formatter.format(&configuration(), &events) else {
            panic!("it ended")
        };
        assert_eq!(fault.kind, FaultKind::Limit(Limit::Cpu { limit: CPU }));
        formatter.format(&configuration(), &[]).unwrap();
    }
    // The same instance: good, good, then the loop with its own full budget.
    let mut session = formatter.open(&configuration()).unwrap();
    session.format(&[]).unwrap();
    session.format(&[]).unwrap();
    let Err(FormatError::Fault(fault)) = session.format(&events) else { panic!("it ended") };
    assert_eq!(fault.kind, FaultKind::Limit(Limit::Cpu { limit: CPU }));
}

#[test]
fn a_neighbour_keeps_its_own_deadline_while_another_loops() {
    let looping = SANDBOX
        .load(
            "looping",
            &Guest::honest().format(ENDLESS).component(),
            GuestLimits { cpu: CPU * 4, ..limits() },
        )
        .unwrap();
    let honest = SANDBOX.load("honest", &Guest::honest().component(), GuestLimits::default()).unwrap();
    // Long enough for several ticks of the one clock: each event costs the guest some thousand instructions.
    let busy = Guest::honest().format(
        "(local $spin i32) (local.set $spin (i32.const 20000000))
         (loop $l (br_if $l (local.tee $spin (i32.sub (local.get $spin) (i32.const 1)))))
         (i32.const 4096)",
    );
    let busy = SANDBOX.load("busy", &busy.component(), GuestLimits::default()).unwrap();
    std::thread::scope(|scope| {
        let loops = scope.spawn(|| looping.format(&configuration(), &[]).unwrap_err());
        while !loops.is_finished() {
            honest.format(&configuration(), &[]).unwrap();
            busy.format(&configuration(), &[]).unwrap();
        }
        let FormatError::Fault(fault) = loops.join().unwrap() else { panic!("no fault") };
        assert_eq!(fault.kind, FaultKind::Limit(Limit::Cpu { limit: CPU * 4 }));
        assert!(fault.figures.cpu >= CPU * 4, "{:?}", fault.figures);
    });
}

#[test]
fn no_plugin_gets_more_than_the_ceiling() {
    let limits = GuestLimits { memory_bytes: u64::MAX, cpu: Duration::MAX, ..limits() };
    let formatter = SANDBOX.load("greedy", &Guest::honest().component(), limits).unwrap();
    assert_eq!(formatter.limits().memory_bytes, GuestLimits::CEILING.memory_bytes);
    assert_eq!(formatter.limits().cpu, GuestLimits::CEILING.cpu);
}

//! Limits hold whenever they are hit: on the first call, on later ones, after a fault, in fresh instances and in one that
//! is used again. What each limit is hit by is in tests/guests.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/events.rs"]
mod events;
#[path = "support/guest.rs"]
mod guest;

use std::sync::LazyLock;
use std::time::Duration;

use events::events;
use guest::Guest;
use siemaphore_sandbox::{
    Configuration, Fault, FaultKind, FormatError, Formatted, Formatter, GuestLimits, Limit, LoadError,
    Sandbox, SandboxConfig, Session,
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

/// A way to go over a limit, taken on a batch of one event. On an empty batch the guest is honest, and on one of two
/// events it traps.
struct Excess {
    body: &'static str,
    guest: Guest,
    limits: GuestLimits,
    expected: Limit,
}

impl Excess {
    fn new(body: &'static str, expected: Limit) -> Excess {
        Excess { body, guest: Guest::honest(), limits: limits(), expected }
    }

    fn load(self) -> Formatter {
        let format = format!(
            "(if (i32.eq (local.get $count) (i32.const 2)) (then (unreachable)))
             (if (i32.eq (local.get $count) (i32.const 1)) (then {}))
             (i32.const 4096)",
            self.body
        );
        SANDBOX.load("hostile", &self.guest.format(&format).component(), self.limits).unwrap()
    }
}

fn excesses() -> [Excess; 9] {
    let wall = Duration::from_millis(50);
    let memory = Limit::Memory { limit_bytes: 4 << 20 };
    let output = Limit::Output { limit_bytes: 64 << 10 };
    [
        Excess::new("(loop $l (br $l))", Limit::Cpu { limit: CPU }),
        Excess {
            limits: GuestLimits { wall, ..GuestLimits::default() },
            ..Excess::new("(loop $l (br $l))", Limit::Wall { limit: wall })
        },
        Excess::new("(loop $l (drop (memory.grow (i32.const 1))) (br $l))", memory),
        Excess {
            guest: Guest::honest().extra("(memory $b 1) (memory $c 1)"),
            ..Excess::new(
                "(drop (memory.grow $b (i32.const 30))) (drop (memory.grow $c (i32.const 30)))",
                memory,
            )
        },
        Excess {
            guest: Guest::honest().extra("(table $t 1 funcref)"),
            limits: GuestLimits { memory_bytes: 512 << 10, ..limits() },
            ..Excess::new(
                "(drop (table.grow $t (ref.null func) (i32.const 60000)))",
                Limit::Memory { limit_bytes: 512 << 10 },
            )
        },
        Excess::new("(i32.store (i32.const 4104) (i32.const 200000))", output),
        Excess {
            guest: Guest::honest().memory("(memory (export \"memory\") 60)"),
            ..Excess::new("(i32.store (i32.const 4112) (i32.const 250000))", output)
        },
        Excess {
            guest: Guest::honest().extra("(func $deep (call $deep) (call $deep))"),
            ..Excess::new("(call $deep)", Limit::Stack)
        },
        Excess {
            guest: Guest::honest().import("wasi:cli/stdout", "get-stdout", "(func $get-stdout (result i32))"),
            ..Excess::new("(loop $l (drop (call $get-stdout)) (br $l))", Limit::Handles { limit: 4_096 })
        },
    ]
}

fn fault_of(result: Result<Formatted, FormatError>) -> Fault {
    match result {
        Err(FormatError::Fault(fault)) => fault,
        other => panic!("no fault but {other:?}"),
    }
}

/// How many honest calls come before the one that goes over its limit.
const CALLS_BEFORE: [usize; 3] = [0, 1, 9];

#[test]
fn in_fresh_instances_a_limit_holds_on_the_first_call_the_second_the_tenth_and_after_a_trap() {
    let (one, two) = (events(1, 100), events(2, 100));
    let (one, two): (Vec<_>, Vec<_>) = (one.iter().collect(), two.iter().collect());
    for excess in excesses() {
        let expected = FaultKind::Limit(excess.expected);
        let formatter = excess.load();
        let format = |events: &[_]| formatter.format(&configuration(), events);
        for calls in CALLS_BEFORE {
            (0..calls).for_each(|_| drop(format(&[]).unwrap()));
            assert_eq!(fault_of(format(&one)).kind, expected, "after {calls} calls");
            assert_eq!(fault_of(format(&one)).kind, expected, "after a fault");
        }
        assert!(matches!(fault_of(format(&two)).kind, FaultKind::Trap(_)));
        assert_eq!(fault_of(format(&one)).kind, expected, "after a trap");
        format(&[]).unwrap();
    }
}

#[test]
fn in_one_instance_a_limit_holds_on_the_first_call_the_second_and_the_tenth_and_a_fault_is_its_end() {
    let (one, two) = (events(1, 100), events(2, 100));
    let (one, two): (Vec<_>, Vec<_>) = (one.iter().collect(), two.iter().collect());
    for excess in excesses() {
        let expected = FaultKind::Limit(excess.expected);
        let formatter = excess.load();
        let open = || formatter.open(&configuration()).unwrap();
        for calls in CALLS_BEFORE {
            let mut session = open();
            (0..calls).for_each(|_| drop(session.format(&[]).unwrap()));
            assert_eq!(fault_of(session.format(&one)).kind, expected, "after {calls} calls");
            assert_is_at_its_end(&mut session, &expected);
        }
        let mut session = open();
        let trap = fault_of(session.format(&two)).kind;
        assert!(matches!(trap, FaultKind::Trap(_)));
        assert_is_at_its_end(&mut session, &trap);
    }
}

/// Neither an honest call nor another excess gets anything out of it: it cannot be entered again, or goes over the same
/// limit.
fn assert_is_at_its_end(session: &mut Session, kind: &FaultKind) {
    let one = events(1, 100);
    let one: Vec<_> = one.iter().collect();
    for events in [&[][..], &one] {
        let fault = fault_of(session.format(events));
        let is_closed = matches!(&fault.kind, FaultKind::Trap(reason) if reason.contains("enter"));
        assert!(is_closed || fault.kind == *kind, "{fault}");
    }
}

#[test]
fn memory_that_an_instance_keeps_counts_on_its_later_calls() {
    // Ten pages more on each call, and four to begin with: 64 are the limit.
    let guest = Guest::honest().format("(drop (memory.grow (i32.const 10))) (i32.const 4096)");
    let formatter = load(&guest).unwrap();
    let mut session = formatter.open(&configuration()).unwrap();
    for call in 1..=6 {
        assert_eq!(session.format(&[]).unwrap().figures.peak_memory_bytes, (4 + call * 10) << 16);
    }
    let limit = Limit::Memory { limit_bytes: 4 << 20 };
    assert_eq!(fault_of(session.format(&[])).kind, FaultKind::Limit(limit));
}

#[test]
fn no_call_gets_more_of_its_output_into_the_log_than_the_limit() {
    // Ten lines, of which the limit leaves six, and another, and a trap on a batch of one event.
    let guest = Guest::honest().printing().extra("(data (i32.const 600) \"early line\\0alate\\0a\")").format(
        "(loop $l
               (call $print (i32.const 600) (i32.const 11))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $l (i32.lt_u (local.get $i) (i32.const 10))))
             (call $print (i32.const 611) (i32.const 5))
             (if (i32.eq (local.get $count) (i32.const 1)) (then (unreachable)))
             (i32.const 4096)",
    );
    let limits = GuestLimits { log_bytes: 66, ..limits() };
    let formatter = SANDBOX.load("talkative", &guest.component(), limits).unwrap();
    let one = events(1, 100);
    let one: Vec<_> = one.iter().collect();
    let assert_cut = |fault: Fault| {
        assert_eq!(fault.said.as_deref(), Some("late"), "what broke it is said at the end");
        assert_eq!(fault.figures.log_bytes, 115, "what is dropped is counted");
    };
    for calls in CALLS_BEFORE {
        (0..calls).for_each(|_| drop(formatter.format(&configuration(), &[]).unwrap()));
        assert_cut(fault_of(formatter.format(&configuration(), &one)));
        assert_cut(fault_of(formatter.format(&configuration(), &one)));
        let mut session = formatter.open(&configuration()).unwrap();
        (0..calls).for_each(|_| assert_eq!(session.format(&[]).unwrap().figures.log_bytes, 115));
        assert_cut(fault_of(session.format(&one)));
    }
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

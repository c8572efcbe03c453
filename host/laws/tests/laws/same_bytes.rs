//! Same events, same settings, same component: the same bytes, in sandboxes of every kind, under load, and however the
//! batches are cut. That the clock, the time zone and the host make no difference is a story of the real binary.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::guest::Guest;
use siemaphore_laws::{Case, corpus};
use siemaphore_sandbox::{Configuration, Formatter, GuestLimits, Sandbox, SandboxConfig};

/// The records of the small events of the corpus, in order, by formatter.
type Everything = BTreeMap<&'static str, Vec<Vec<u8>>>;

fn cases() -> Vec<Case<'static>> {
    corpus().cases().filter(|case| !case.is_large()).collect()
}

fn load_all(sandbox: &Sandbox) -> Vec<(&'static str, Formatter)> {
    let bundled = siemaphore_bundle::formatters().iter();
    bundled
        .map(|one| (one.name, sandbox.load(one.name, one.component, GuestLimits::default()).unwrap()))
        .collect()
}

/// Cuts batches of these sizes, over and over.
fn format_all(formatters: &[(&'static str, Formatter)], sizes: &[usize]) -> Everything {
    formatters.iter().map(|(name, formatter)| (*name, format(formatter, sizes))).collect()
}

fn format(formatter: &Formatter, sizes: &[usize]) -> Vec<Vec<u8>> {
    let settings = formatter.description().settings_example.clone();
    let configuration = Configuration { settings, destination: "d1".to_owned() };
    let events: Vec<_> = cases().iter().map(|case| case.event).collect();
    let mut rest = events.as_slice();
    let mut made = Vec::new();
    for size in sizes.iter().cycle() {
        let (batch, later) = rest.split_at(rest.len().min(*size));
        let records = formatter.format(&configuration, batch).unwrap().records;
        made.extend(records.iter().map(<[u8]>::to_vec));
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    made
}

fn pooled(threads: usize) -> Sandbox {
    Sandbox::new(SandboxConfig { formatting_threads: threads, ..SandboxConfig::default() }).unwrap()
}

#[track_caller]
fn assert_same(expected: &Everything, found: &Everything) {
    for (name, records) in expected {
        for ((case, expected), found) in cases().iter().zip(records).zip(&found[name]) {
            assert!(expected == found, "{name} makes other bytes of {}", case.name);
        }
        assert_eq!(records.len(), found[name].len(), "{name}");
    }
}

#[test]
fn every_formatter_makes_the_same_bytes_in_every_sandbox_and_of_every_cut() {
    let first = load_all(&pooled(1));
    let expected = format_all(&first, &[1_000]);
    assert_eq!(expected.len(), siemaphore_bundle::formatters().len());
    assert!(expected.values().flatten().all(|record| !record.is_empty()));
    for sizes in [&[1, 2, 3, 5, 8, 13, 21][..], &[7], &[100, 1]] {
        assert_same(&expected, &format_all(&first, sizes));
    }
    // Another engine that compiles anew, more threads, a larger pool; then one without a pool.
    assert_same(&expected, &format_all(&load_all(&pooled(5)), &[11, 64]));
    let without_pool = Sandbox::with_engine(&SandboxConfig::default(), |_| ()).unwrap();
    assert_same(&expected, &format_all(&load_all(&without_pool), &[500]));
}

/// Fills memory until it may not have more, so that what it leaves in the pool's places is not zero.
fn greedy() -> Guest {
    Guest::honest().format(
        "(drop (memory.grow (i32.const 200)))
         (memory.fill (i32.const 0x30000) (i32.const 0xaa)
           (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 0x30000)))
         (unreachable)",
    )
}

/// However the test ends.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn load_and_other_guests_change_no_byte() {
    let sandbox = pooled(4);
    let formatters: Vec<_> = load_all(&sandbox).into_iter().step_by(3).collect();
    let expected = format_all(&formatters, &[50]);
    let greedy = sandbox.load("greedy", &greedy().component(), GuestLimits::default()).unwrap();
    let (done, disturbed) = (AtomicBool::new(false), AtomicU64::new(0));
    let configuration = Configuration { settings: "{}".to_owned(), destination: "d2".to_owned() };
    std::thread::scope(|scope| {
        let _neighbours_end = Ends(&done);
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    greedy.format(&configuration, &[]).unwrap_err();
                    disturbed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let rounds = [&[50][..], &[3, 17], &[1]].map(|sizes| format_all(&formatters, sizes));
        // Until the neighbours have had their turns, however the threads were scheduled.
        while disturbed.load(Ordering::Relaxed) < 30 {
            std::thread::yield_now();
        }
        let last = format_all(&formatters, &[40]);
        for found in rounds.iter().chain([&last]) {
            assert_same(&expected, found);
        }
    });
}

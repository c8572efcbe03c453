//! The formatting threads as their callers see them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/guest.rs"]
mod guest;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use guest::Guest;
use siemaphore_sandbox::{Configuration, FormatError, Formatter, GuestLimits, Sandbox, SandboxConfig};
use tokio::task::JoinSet;

fn sandbox(formatting_threads: usize) -> Sandbox {
    Sandbox::new(SandboxConfig { formatting_threads, queue: 1 }).unwrap()
}

fn format(formatter: &Formatter) -> Result<usize, FormatError> {
    let configuration = Configuration { settings: "{}".to_owned(), destination: "d1".to_owned() };
    formatter.format(&configuration, &[]).map(|formatted| formatted.records.ends.len())
}

#[tokio::test]
async fn formatting_runs_on_threads_of_its_own() {
    let sandbox = sandbox(2);
    let name = || std::thread::current().name().unwrap_or_default().to_owned();
    // More work than threads and queue hold: the rest waits its turn.
    let work: Vec<_> = (0..32).map(|_| sandbox.run(name)).collect();
    // The futures hold the way to the threads, so the handle may go.
    drop(sandbox);
    for work in work {
        assert!(work.await.unwrap().starts_with("formatting-"));
    }
}

#[test]
fn work_that_panics_panics_its_caller_and_not_the_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sandbox = sandbox(1);
    for _ in 0..3 {
        let panicking = sandbox.run(|| panic!("on purpose"));
        let result: Result<Result<(), _>, _> =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(panicking)));
        assert!(result.is_err());
    }
    assert_eq!(runtime.block_on(sandbox.run(|| 7)), Ok(7));
}

/// Three plugins never stop burning the whole of their limit, each with two batches at a time, until the neighbour has
/// had fifty turns. If they could take both threads or fill the queue, it would have had one turn for each of theirs.
#[tokio::test(flavor = "multi_thread")]
async fn plugins_that_burn_all_their_time_leave_a_thread_to_a_neighbour() {
    let sandbox = sandbox(2);
    let honest = sandbox.load("honest", &Guest::honest().component(), GuestLimits::default()).unwrap();
    let endless = Guest::honest().format("(loop $l (br $l)) (unreachable)").component();
    let limits = GuestLimits { cpu: Duration::from_millis(200), ..GuestLimits::default() };
    let burnt = Arc::new(AtomicU32::new(0));
    let mut burners = JoinSet::new();
    for number in 0..6 {
        let burner = sandbox.load(&format!("burner-{}", number % 3), &endless, limits.clone()).unwrap();
        let (sandbox, burnt) = (sandbox.clone(), Arc::clone(&burnt));
        burners.spawn(async move {
            loop {
                let work = burner.clone();
                let result = sandbox.run_for(burner.plugin(), move || format(&work)).await.unwrap();
                assert!(result.unwrap_err().is_time_limit());
                burnt.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for _ in 0..50 {
        let honest = honest.clone();
        assert_eq!(sandbox.run_for("honest", move || format(&honest)).await.unwrap().unwrap(), 0);
    }
    let burnt = burnt.load(Ordering::Relaxed);
    assert!(burnt < 25, "half as many turns as the neighbour: {burnt}");
    assert!(burners.try_join_next().is_none(), "they burn on");
}

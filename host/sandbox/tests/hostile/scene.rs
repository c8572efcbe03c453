//! The sandbox that all guests share, and what is done to them in it.

use std::sync::LazyLock;
use std::time::Duration;

use siemaphore_model::formatter::Verdict;
use siemaphore_sandbox::{
    Call, Configuration, Fault, FaultKind, FormatError, Formatted, Formatter, GuestLimits, Limit, LoadError,
    Sandbox, SandboxConfig,
};

use crate::events::events;
use crate::guests::Guest;
use crate::responses::response;

/// Far above what an honest call takes and far below what a test should wait.
pub(crate) const CPU: Duration = Duration::from_millis(100);
pub(crate) const CPU_LIMIT: FaultKind = FaultKind::Limit(Limit::Cpu { limit: CPU });
pub(crate) const MEMORY_LIMIT: FaultKind = FaultKind::Limit(Limit::Memory { limit_bytes: 4 << 20 });
pub(crate) const OUTPUT_LIMIT: FaultKind = FaultKind::Limit(Limit::Output { limit_bytes: 64 << 10 });

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    Sandbox::new(SandboxConfig { formatting_threads: 6, ..SandboxConfig::default() }).expect("a sandbox")
});

static NEIGHBOUR: LazyLock<Formatter> = LazyLock::new(|| {
    let limits = GuestLimits::default();
    SANDBOX.load("neighbour", &Guest::honest().component(), limits).expect("it loads")
});

pub(crate) fn limits() -> GuestLimits {
    GuestLimits { cpu: CPU, memory_bytes: 4 << 20, output_bytes: 64 << 10, ..GuestLimits::default() }
}

pub(crate) fn configuration() -> Configuration {
    Configuration { settings: "{}".to_owned(), destination: "d1".to_owned() }
}

pub(crate) fn load(component: &[u8]) -> Result<Formatter, LoadError> {
    SANDBOX.load("hostile", component, limits())
}

/// Loads what is no formatter, or none for this host.
pub(crate) fn refusal(component: &[u8]) -> LoadError {
    load(component).expect_err("it loads")
}

/// Formats so many events in a fresh instance.
pub(crate) fn format(component: &[u8], count: usize) -> Result<Formatted, FormatError> {
    format_with(&load(component).expect("it loads"), count)
}

pub(crate) fn format_with(formatter: &Formatter, count: usize) -> Result<Formatted, FormatError> {
    let events = events(count, 100);
    formatter.format(&configuration(), &events.iter().collect::<Vec<_>>())
}

/// Formats so many events and expects the guest to break in `format`.
pub(crate) fn fault(component: &[u8], count: usize) -> Fault {
    match format(component, count) {
        Err(FormatError::Fault(fault)) => {
            assert_eq!(fault.call, Call::Format);
            fault
        }
        other => panic!("no fault but {other:?}"),
    }
}

/// Formats so many events and expects a promise of the contract to be broken.
pub(crate) fn broken_promise(component: &[u8], count: usize) -> String {
    match fault(component, count).kind {
        FaultKind::Contract(reason) => reason,
        other => panic!("no broken promise but {other:?}"),
    }
}

/// Loads and expects the guest to break on the way.
pub(crate) fn fault_of_load(component: &[u8]) -> Fault {
    match load(component) {
        Err(LoadError::Fault(fault)) => fault,
        other => panic!("no fault but {other:?}"),
    }
}

/// Shows it an answer to a request with ten records.
pub(crate) fn interpret(component: &[u8], status: u16) -> Result<Verdict, FormatError> {
    load(component).expect("it loads").interpret(&configuration(), &response(status, "{}"))
}

/// Another formatter of the same sandbox still turns each event into its record.
pub(crate) fn a_neighbour_formats() {
    let formatted = format_with(&NEIGHBOUR, 10).expect("the neighbour formats");
    assert_eq!(formatted.records.iter().collect::<Vec<_>>(), vec![b"1"; 10]);
}

//! Guests that look for a way to the world, or to the guest before them.

use siemaphore_sandbox::FaultKind;

use crate::events::events;

use super::scene::{configuration, fault, format, format_with, load};

/// The system is empty, stands still, and is the same for every instance.
pub(crate) fn reads_the_system(component: Vec<u8>) {
    let formatter = load(&component).unwrap();
    let first = format_with(&formatter, 1).unwrap().records.data;
    assert_eq!(first, format_with(&formatter, 1).unwrap().records.data);
    let word = |at: usize| u64::from_le_bytes(first[at..at + 8].try_into().unwrap());
    assert_eq!((word(0), word(8) as u32), (946_684_800, 0), "the wall clock says 2000-01-01");
    assert_eq!(word(16), 0, "the monotonic clock stands at its origin");
    assert_ne!(word(24), 0, "there is a random number");
    for (at, what) in [(32, "variables"), (40, "arguments"), (48, "folders")] {
        assert_eq!(word(at) >> 32, 0, "there are no {what}");
    }
}

/// What is over the cap is dropped and counted, and no fault.
pub(crate) fn floods_standard_output(component: Vec<u8>) {
    assert_eq!(format(&component, 0).unwrap().figures.log_bytes, 4_000_000);
}

pub(crate) fn ends_itself(component: Vec<u8>) {
    let fault = fault(&component, 1);
    assert_eq!(fault.kind, FaultKind::Exit);
    assert_eq!(fault.to_string(), "formatter `hostile` ended itself in `format`");
}

pub(crate) fn leaks_across_batches(component: Vec<u8>) {
    let formatter = load(&component).unwrap();
    for batch in 0..3 {
        let formatted = format_with(&formatter, 1).unwrap();
        assert_eq!(formatted.records.data, b"aaa", "batch {batch}");
    }
    // It would tell if it could: one instance that is used twice remembers.
    let events = events(1, 100);
    let events: Vec<_> = events.iter().collect();
    let mut session = formatter.open(&configuration()).unwrap();
    assert_eq!(session.format(&events).unwrap().records.data, b"aaa");
    assert_eq!(session.format(&events).unwrap().records.data, b"bbb");
}

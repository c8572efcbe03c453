//! Instructions are counted, the same in each run, on an engine that formats nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/events.rs"]
#[allow(dead_code, reason = "each test binary uses some of it")]
mod events;
#[path = "support/guest.rs"]
mod guest;

use guest::Guest;
use siemaphore_model::{Event, EventBuffer};
use siemaphore_sandbox::{Configuration, CountError, Counted, FormatError, GuestLimits};

fn buffer(count: usize) -> EventBuffer {
    let mut bytes = Vec::new();
    (0..count).for_each(|number| events::push(&mut bytes, number, "{}"));
    EventBuffer::from_bytes(bytes).unwrap()
}

fn configuration() -> Configuration {
    Configuration { settings: "{}".to_owned(), destination: "test".to_owned() }
}

fn load(component: &[u8]) -> Counted {
    Counted::load("guest", component, &GuestLimits::default()).unwrap()
}

#[test]
fn each_event_costs_the_same_in_every_run_and_on_every_engine() {
    let component = Guest::honest().component();
    let count = |counted: &Counted, events: usize| {
        let buffer = buffer(events);
        let events: Vec<Event<'_>> = buffer.iter().collect();
        counted.count(&configuration(), &events).unwrap()
    };
    let (first, second) = (load(&component), load(&component));
    let [none, one, two, hundred] = [0, 1, 2, 100].map(|events| count(&first, events));
    assert_eq!(none.opening, hundred.opening, "starting does not depend on what follows");
    let each = two.format - one.format;
    assert!(each > 0, "{one:?} {two:?}");
    assert_eq!(hundred.format - two.format, 98 * each);
    assert_eq!([count(&first, 100), count(&second, 100)], [hundred, hundred]);
}

#[test]
fn a_guest_that_breaks_gives_no_count() {
    let buffer = buffer(1);
    let events: Vec<Event<'_>> = buffer.iter().collect();
    let trapping = load(&Guest::honest().format("(unreachable)").component());
    let error = trapping.count(&configuration(), &events).unwrap_err();
    assert!(error.to_string().contains("unreachable"), "{error}");
    // 4096: an error, with an address and a length of no text.
    let refusing = load(
        &Guest::honest().format("(i32.store (i32.const 4096) (i32.const 1)) (i32.const 4096)").component(),
    );
    let error = refusing.count(&configuration(), &events).unwrap_err();
    assert!(matches!(error, CountError::Format(FormatError::Refused(_))), "{error}");
    let error = Counted::load("guest", b"no component", &GuestLimits::default()).err();
    assert!(matches!(error, Some(CountError::Load(_))));
}

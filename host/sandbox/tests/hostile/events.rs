//! Guests that are honest with some events and not with others, or with none.

use siemaphore_sandbox::{FaultKind, Formatter};

use super::scene::{CPU_LIMIT, configuration, fault, format, load};
use crate::events;
use crate::guests;

/// 500 events, of which one has an identifier and a type that others do not have.
fn one_of_500(id: &str, event_type: &str) -> siemaphore_model::EventBuffer {
    let mut bytes = Vec::new();
    for number in 0..500 {
        if number == 321 {
            events::push_as(&mut bytes, number, id, event_type, "{}");
        } else {
            events::push(&mut bytes, number, "{}");
        }
    }
    siemaphore_model::EventBuffer::from_bytes(bytes).unwrap()
}

fn fault_of_the_one(formatter: &Formatter, id: &str, event_type: &str) -> (FaultKind, Option<String>) {
    let events = one_of_500(id, event_type);
    let all: Vec<_> = events.iter().collect();
    let Err(siemaphore_sandbox::FormatError::Fault(fault)) = formatter.format(&configuration(), &all) else {
        panic!("no fault")
    };
    // What the pipeline finds by halving: it is that one event.
    let others: Vec<_> = [&all[..321], &all[322..]].concat();
    assert_eq!(formatter.format(&configuration(), &others).unwrap().records.ends.len(), 499);
    (fault.kind, fault.said)
}

fn is_trap(kind: &FaultKind) -> bool {
    matches!(kind, FaultKind::Trap(reason) if reason.contains("unreachable"))
}

pub(crate) fn traps_on_one_event(component: Vec<u8>) {
    let formatter = load(&component).unwrap();
    let id = format!("{}-1", guests::traps_on_one_event::POISON);
    let (kind, said) = fault_of_the_one(&formatter, &id, "dlp.pii_blocked");
    assert!(is_trap(&kind), "{kind}");
    assert_eq!(said.as_deref(), Some(guests::traps_on_one_event::LAST_WORDS));
}

pub(crate) fn traps_on_everything(component: Vec<u8>) {
    for count in [1, 500] {
        let fault = fault(&component, count);
        assert!(is_trap(&fault.kind), "{fault}");
        assert_eq!(fault.said.as_deref(), Some(guests::traps_on_everything::LAST_WORDS));
    }
}

/// Rejecting is its right; the pipeline holds a destination of which nothing goes through.
pub(crate) fn rejects_everything(component: Vec<u8>) {
    let records = format(&component, 500).unwrap().records;
    assert_eq!((records.data.len(), records.rejected.len()), (0, 500));
    assert!(records.rejected.iter().all(|one| one.reason == guests::rejects_everything::REASON));
}

pub(crate) fn traps_after_the_check(component: Vec<u8>) {
    let formatter = load(&component).unwrap();
    let unchecked = format!("{}type", guests::UNCHECKED_TYPE);
    let (kind, said) = fault_of_the_one(&formatter, "evt_1", &unchecked);
    assert!(is_trap(&kind), "{kind}");
    assert_eq!(said.as_deref(), Some(guests::traps_after_the_check::LAST_WORDS));
}

pub(crate) fn burns_after_the_check(component: Vec<u8>) {
    let formatter = load(&component).unwrap();
    let (kind, _) = fault_of_the_one(&formatter, "evt_1", &format!("{}type", guests::UNCHECKED_TYPE));
    assert_eq!(kind, CPU_LIMIT);
}

pub(crate) fn rejects_after_the_check(component: Vec<u8>) {
    let formatter = load(&component).unwrap();
    let unchecked = format!("{}type", guests::UNCHECKED_TYPE);
    let events = one_of_500("evt_1", &unchecked);
    let records = formatter.format(&configuration(), &events.iter().collect::<Vec<_>>()).unwrap().records;
    assert_eq!(records.rejected.len(), 1);
    assert_eq!(records.rejected[0].index, 321);
    assert_eq!(records.rejected[0].reason, guests::rejects_after_the_check::REASON);
}

//! Guests that want more of the machine than they are given.

use siemaphore_sandbox::{Call, FaultKind, Limit};

use super::scene::{MEMORY_LIMIT, fault, fault_of_load};

pub(crate) fn memory_growth(component: Vec<u8>) {
    assert_eq!(fault(&component, 10).kind, MEMORY_LIMIT);
}

pub(crate) fn memory_growth_in_many_memories(component: Vec<u8>) {
    assert_eq!(fault(&component, 10).kind, MEMORY_LIMIT);
}

pub(crate) fn memory_at_start_up(component: Vec<u8>) {
    let fault = fault_of_load(&component);
    assert_eq!((fault.call, &fault.kind), (Call::Instantiate, &MEMORY_LIMIT));
    assert_eq!(fault.to_string(), "formatter `hostile` exceeded its limit of 4 MiB of memory in start-up");
}

pub(crate) fn table_growth(component: Vec<u8>) {
    assert_eq!(fault(&component, 0).kind, MEMORY_LIMIT);
}

pub(crate) fn deep_recursion(component: Vec<u8>) {
    assert_eq!(fault(&component, 10).kind, FaultKind::Limit(Limit::Stack));
}

pub(crate) fn handles_without_end(component: Vec<u8>) {
    assert_eq!(fault(&component, 10).kind, FaultKind::Limit(Limit::Handles { limit: 4_096 }));
}

//! Guests that do not come back.

use std::time::{Duration, Instant};

use siemaphore_sandbox::{Call, ConfigureError, FormatError};

use super::scene::{CPU, CPU_LIMIT, configuration, fault, fault_of_load, format, interpret, load};

pub(crate) fn endless_loop_in_format(component: Vec<u8>) {
    let fault = fault(&component, 10);
    assert_eq!(fault.to_string(), "formatter `hostile` exceeded its limit of 100ms of CPU time in `format`");
    assert!(fault.figures.cpu >= CPU && fault.figures.cpu < CPU * 5, "{:?}", fault.figures);
}

pub(crate) fn endless_loop_in_configure(component: Vec<u8>) {
    let formatter = load(&component).unwrap();
    let Err(ConfigureError::Fault(fault)) = formatter.configure(&configuration()) else { panic!("it ended") };
    assert_eq!((fault.call, fault.kind), (Call::Configure, CPU_LIMIT));
}

pub(crate) fn endless_loop_in_describe(component: Vec<u8>) {
    let fault = fault_of_load(&component);
    assert_eq!((fault.call, fault.kind), (Call::Describe, CPU_LIMIT));
}

pub(crate) fn endless_loop_in_interpret(component: Vec<u8>) {
    format(&component, 10).expect("it formats well");
    let Err(FormatError::Fault(fault)) = interpret(&component, 200) else { panic!("it ended") };
    assert_eq!((fault.call, fault.kind), (Call::Interpret, CPU_LIMIT));
}

pub(crate) fn endless_loop_at_start_up(component: Vec<u8>) {
    let fault = fault_of_load(&component);
    assert_eq!((fault.call, fault.kind), (Call::Instantiate, CPU_LIMIT));
}

pub(crate) fn endless_loop_after_format(component: Vec<u8>) {
    assert_eq!(fault(&component, 10).kind, CPU_LIMIT);
}

pub(crate) fn endless_loop_in_allocation(component: Vec<u8>) {
    assert_eq!(fault(&component, 10).kind, CPU_LIMIT);
}

pub(crate) fn endless_tail_calls(component: Vec<u8>) {
    assert_eq!(fault(&component, 10).kind, CPU_LIMIT);
}

/// Its timer is ready at once: nothing in the sandbox waits.
pub(crate) fn sleeps_an_hour(component: Vec<u8>) {
    let begun = Instant::now();
    format(&component, 0).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(600));
}

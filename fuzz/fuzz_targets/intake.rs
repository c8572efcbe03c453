//! A request body on its way to events.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| siemaphore_fuzz_targets::intake::run(input));

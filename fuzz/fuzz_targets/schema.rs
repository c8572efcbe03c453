//! A schema, and an event that is asked to fit it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| siemaphore_fuzz_targets::schema::run(input));

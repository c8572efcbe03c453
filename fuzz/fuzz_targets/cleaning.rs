//! An answer that holds secrets.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| siemaphore_fuzz_targets::cleaning::run(input));

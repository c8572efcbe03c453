//! Records and verdicts that a guest returns.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| siemaphore_fuzz_targets::guest::run(input));

//! An answer of a SIEM, read by each built-in formatter.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| siemaphore_fuzz_targets::answer::run(input));

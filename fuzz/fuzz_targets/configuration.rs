//! The text of a configuration file.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| siemaphore_fuzz_targets::configuration::run(input));

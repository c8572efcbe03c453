//! A schema, and an event that is asked to fit it.
//!
//! Promises: nothing panics and nothing hangs, whatever the schema's references and alternatives multiply to; what is told
//! is one line within bounds.

use siemaphore_intake::fuzzing::unfit;

use crate::words::Words;

const TOLD_BYTES: usize = 4 * 1024;

/// `schema \0 event`
pub fn run(input: &[u8]) {
    let mut words = Words::of(input);
    let (schema, event) = (words.text(), words.text());
    let Some(told) = unfit(&schema, &event) else { return };
    assert!(told.len() <= TOLD_BYTES, "{} bytes", told.len());
    assert!(!told.contains(['\n', '\r']), "one line: {told}");
}

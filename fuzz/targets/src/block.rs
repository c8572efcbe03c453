//! Stored bytes on their way back to events: an uncompressed buffer, and a block as a row of the store has it.
//!
//! Promises: nothing panics; what is read back is what was written, to the byte; damage is an error.

use siemaphore_model::EventBuffer;
use siemaphore_store::fuzzing::open_block;

use crate::words::Words;

/// `events \0 raw bytes \0 data`: what a row claims, and what it holds. The data is also read as it stands.
pub fn run(input: &[u8]) {
    buffer(input);
    let mut words = Words::of(input);
    let (count, raw_bytes, data) = (words.number(), words.number(), words.rest());
    opened(count, raw_bytes, data);
    buffer(data);
    // So that mutations reach the events, too: compressed by the book.
    if let Ok(compressed) = zstd::bulk::compress(data, 1) {
        opened(count, data.len() as u64, &compressed);
    }
}

fn opened(count: u64, raw_bytes: u64, data: &[u8]) {
    let Ok(events) = open_block(1, count, raw_bytes, data) else { return };
    assert_eq!(events.len() as u64, count);
    assert!(events.as_bytes().len() as u64 <= raw_bytes, "a block is no larger than its row says");
    buffer(events.as_bytes());
}

fn buffer(bytes: &[u8]) {
    let Ok(events) = EventBuffer::from_bytes(bytes.to_vec()) else { return };
    assert_eq!(events.as_bytes(), bytes);
    let mut copied = EventBuffer::new();
    for event in &events {
        copied.push(&event);
    }
    assert_eq!((copied.len(), copied.iter().count()), (events.len(), events.len()));
    // A project of no event may have bytes that nobody reads; everything else comes back as it was.
    assert!(copied.iter().zip(&events).all(|(one, other)| one == other));
}

//! A request body on its way to events: decompressed, cut into items, normalised.
//!
//! Promises: nothing panics; nothing grows beyond its limit; an accepted document is one JSON object on one line,
//! within the limits, and comes out the same when it is taken in again.

use std::sync::LazyLock;

use serde_json::Value;
use siemaphore_intake::fuzzing::decode;
use siemaphore_model::normalise::{Context, EVENT_BYTES, Normaliser, Scratch};
use siemaphore_model::{Event, EventBuffer, EventKey, Redaction};

use crate::words::Words;

const BODY_LIMIT: usize = 1 << 20;
const EVENT_LIMIT: usize = 1_000;
const CONTEXT: Context<'_> =
    Context { organization: "acme", source: "gateway", received_ns: 1_780_949_731_000_000_000 };

/// Not cheap to make.
static NORMALISER: LazyLock<Normaliser> =
    LazyLock::new(|| Normaliser::new("auto", &Redaction::default()).expect("a known profile"));

/// `encoding \0 content type \0 body`
pub fn run(input: &[u8]) {
    let mut words = Words::of(input);
    let (encoding, content_type) = (words.text(), words.text());
    let body = words.rest().to_vec().into();
    let decoded = decode(&encoding, &content_type, &body, &NORMALISER, &CONTEXT, BODY_LIMIT, EVENT_LIMIT);
    let Some(events) = decoded else { return };
    assert!(events.len() <= EVENT_LIMIT);
    let stored =
        EventBuffer::from_bytes(events.as_bytes().to_vec()).expect("what was encoded can be decoded");
    assert_eq!(stored, events);
    for event in &events {
        check(&event, &NORMALISER);
    }
}

fn check(event: &Event<'_>, normaliser: &Normaliser) {
    let document = event.document();
    assert!(document.len() <= EVENT_BYTES);
    assert!(!document.contains(['\n', '\r']), "an event is one line: {document}");
    let value: Value = serde_json::from_str(document).expect("a document is JSON");
    assert!(value.is_object(), "an event is an object: {document}");
    assert_eq!((event.organization(), event.source()), ("acme", "gateway"));
    let key = EventKey::compute(event.organization(), event.source(), event.id(), document);
    assert_eq!(event.key(), key, "the key is that of the event");
    let mut again = EventBuffer::new();
    normaliser
        .normalise(document, &CONTEXT, &mut Scratch::default(), &mut again)
        .unwrap_or_else(|refusal| panic!("what was accepted is refused: {refusal}: {document}"));
    let again = again.iter().next().expect("one event");
    assert_eq!(again.document(), document, "an event comes out the same when it is taken in again");
    assert_eq!(again.key(), event.key());
}

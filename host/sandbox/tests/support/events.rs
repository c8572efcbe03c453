//! Events as intake would hand them over: through the stored form, so that nothing is special about them.

use siemaphore_model::EventBuffer;

/// Events with a document of about the given size.
#[allow(dead_code, reason = "each test binary uses some of it")]
pub(crate) fn events(count: usize, document_bytes: usize) -> EventBuffer {
    let mut bytes = Vec::new();
    for number in 0..count {
        let filler = "x".repeat(document_bytes.saturating_sub(60));
        let document = format!(r#"{{"number":{number},"action":"blocked","text":"{filler}"}}"#);
        push(&mut bytes, number, &document);
    }
    EventBuffer::from_bytes(bytes).expect("the layout is the one that event_buffer.rs documents")
}

/// One event of the usual type.
pub(crate) fn push(bytes: &mut Vec<u8>, number: usize, document: &str) {
    push_as(bytes, number, &format!("evt_{number:08}"), "dlp.pii_blocked", document);
}

/// One event in the documented layout of an `EventBuffer`.
pub(crate) fn push_as(bytes: &mut Vec<u8>, number: usize, id: &str, event_type: &str, document: &str) {
    let texts =
        [id, event_type, "2026-10-01T12:00:00.123Z", "gateway", "generic", "acme", "chatbot", document];
    let length: usize = 4 + 16 + 8 + 8 + 1 + 1 + 32 + texts.iter().map(|text| text.len()).sum::<usize>();
    bytes.extend_from_slice(&(length as u32 - 4).to_le_bytes());
    bytes.extend_from_slice(&(number as u128 + 1).to_be_bytes());
    bytes.extend_from_slice(&1_790_856_000_123_000_000u64.to_le_bytes());
    bytes.extend_from_slice(&1_790_856_001_000_000_000u64.to_le_bytes());
    bytes.extend_from_slice(&[3, 1]);
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    }
    for text in texts {
        bytes.extend_from_slice(text.as_bytes());
    }
}

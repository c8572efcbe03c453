//! The identity of an event, for deduplication at the SIEM.

use sha2::{Digest, Sha256};

/// The first 128 bits of SHA-256 over organisation, source, producer's id and redacted document.
///
/// The same event gets the same key however often it is delivered or replayed. Two requests with the same bytes for
/// the same source are the same event, on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventKey([u8; 16]);

impl EventKey {
    pub fn compute(organization: &str, source: &str, id: &str, document: &str) -> EventKey {
        let mut hasher = Sha256::new();
        for part in [organization, source, id, document] {
            // Lengths keep ("ab", "c") and ("a", "bc") apart.
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let digest = hasher.finalize();
        let mut key = [0; 16];
        key.copy_from_slice(digest.get(..16).unwrap_or(&[0; 16]));
        EventKey(key)
    }

    pub fn from_bytes(bytes: [u8; 16]) -> EventKey {
        EventKey(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// 32 lowercase hexadecimal digits without an allocation: formatting runs once per event.
    pub fn to_hex(self) -> HexKey {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        HexKey(text)
    }
}

/// An [`EventKey`] as text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HexKey([u8; 32]);

impl HexKey {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::fmt::Display for EventKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.to_hex().as_str())
    }
}

impl std::fmt::Debug for EventKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_thirty_two_lowercase_digits() {
        let key = EventKey::from_bytes([0, 1, 0x0f, 0xf0, 0xab, 0xcd, 0xef, 0xff, 0, 0, 0, 0, 0, 0, 0, 0x42]);
        assert_eq!(key.to_string(), "00010ff0abcdefff0000000000000042");
    }

    #[test]
    fn text_that_moves_between_fields_changes_the_key() {
        assert_ne!(EventKey::compute("a", "bc", "", "{}"), EventKey::compute("ab", "c", "", "{}"));
        assert_eq!(EventKey::compute("a", "b", "c", "{}"), EventKey::compute("a", "b", "c", "{}"));
    }
}

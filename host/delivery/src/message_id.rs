//! What a request is called, where a receiver tells repeats by it.

use http::HeaderValue;
use ring::digest;
use siemaphore_model::EventKey;

/// The same for the same events, however often they are sent; of lowercase hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId(String);

impl MessageId {
    /// The key of a single event; of several, a hash of their keys.
    pub fn of_events(keys: impl IntoIterator<Item = EventKey>) -> MessageId {
        let mut keys = keys.into_iter();
        let (first, second) = (keys.next(), keys.next());
        match (first, second) {
            (Some(key), None) => MessageId(key.to_hex().as_str().to_owned()),
            (first, second) => {
                let mut hash = digest::Context::new(&digest::SHA256);
                first.into_iter().chain(second).chain(keys).for_each(|key| hash.update(key.as_bytes()));
                MessageId(hexadecimal(hash.finish().as_ref()))
            }
        }
    }

    /// Of a request that carries no events, such as a probe.
    pub(crate) fn of_body(body: &[u8]) -> MessageId {
        MessageId(hexadecimal(digest::digest(&digest::SHA256, body).as_ref()))
    }

    #[cfg(test)]
    pub(crate) fn from_text(text: &str) -> MessageId {
        MessageId(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("unnamed"))
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]).filter_map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[u8]) -> MessageId {
        MessageId::of_events(numbers.iter().map(|&number| EventKey::from_bytes([number; 16])))
    }

    #[test]
    fn one_event_lends_its_key_and_several_make_another_name() {
        assert_eq!(of(&[7]).as_str(), "07".repeat(16));
        let names = [of(&[7]), of(&[7, 8]), of(&[8, 7]), of(&[7, 8, 9]), of(&[])];
        for (index, name) in names.iter().enumerate() {
            assert!(names.iter().skip(index + 1).all(|other| other != name), "{name:?}");
            assert!(name.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
        assert_eq!(of(&[7, 8, 9]), of(&[7, 8, 9]));
    }
}

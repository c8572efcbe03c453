//! Redaction by the name of a member, at any depth.
//!
//! Names are compared folded: ASCII letters in lowercase, other ASCII signs left out, the rest as it is. The lookup
//! runs for every member of every event, so it allocates nothing.

use crate::normalise::names::Names;
use crate::profile::ProfileError;
use crate::redaction::{Action, DEFAULT_KEYS, DEFAULT_TEXT_KEYS, Place, Redaction};

/// The longest folded name that a rule can have; a longer name in an event matches nothing.
const NAME_BYTES: usize = 64;

/// The rules, by the folded name.
#[derive(Debug, Default)]
pub(super) struct Keys {
    rules: Names<KeyRule>,
    heads: Heads,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyRule {
    pub(super) action: Action,
    /// Only a string is redacted.
    pub(super) text_only: bool,
}

impl Keys {
    pub(super) fn new(redaction: &Redaction) -> Result<Keys, ProfileError> {
        let mut keys = Keys::default();
        for rule in &redaction.rules {
            if let Place::Key(key) = &rule.place {
                keys.insert(key, KeyRule { action: rule.action, text_only: false })?;
            }
        }
        if redaction.defaults {
            for (names, text_only) in [(DEFAULT_KEYS, false), (DEFAULT_TEXT_KEYS, true)] {
                for key in names {
                    keys.insert(key, KeyRule { action: Action::Drop, text_only })?;
                }
            }
        }
        Ok(keys)
    }

    /// The first rule for a name stays.
    fn insert(&mut self, key: &str, rule: KeyRule) -> Result<(), ProfileError> {
        let mut folded = Folded::default();
        if !folded.fold(key.as_bytes()) || folded.as_bytes().is_empty() {
            return Err(ProfileError::Key { key: key.to_owned() });
        }
        self.heads.insert(head(folded.as_bytes()));
        self.rules.insert(folded.as_bytes(), rule);
        Ok(())
    }

    pub(super) fn find(&self, key: &[u8]) -> Option<KeyRule> {
        if !self.heads.contains(head(key)) {
            return None;
        }
        let mut folded = Folded::default();
        if !folded.fold(key) {
            return None;
        }
        self.rules.get(folded.as_bytes()).copied()
    }
}

/// Which beginnings the rules' names have, as a Bloom filter: rules out nearly every member before its name is folded.
#[derive(Debug)]
struct Heads([u64; HEADS / 64]);

/// Enough that the few dozen rules fill about a hundredth.
const HEADS: usize = 4096;
const HEAD_SIGNS: usize = 4;

impl Default for Heads {
    fn default() -> Heads {
        Heads([0; HEADS / 64])
    }
}

impl Heads {
    fn insert(&mut self, head: usize) {
        if let Some(word) = self.0.get_mut(head / 64) {
            *word |= 1 << (head % 64);
        }
    }

    fn contains(&self, head: usize) -> bool {
        self.0.get(head / 64).is_some_and(|word| word & (1 << (head % 64)) != 0)
    }
}

/// A hash of the first signs that count. Upper and lower case of a letter differ in a bit that is left out.
fn head(name: &[u8]) -> usize {
    let mut signs: u32 = 0;
    let mut count = 0;
    for byte in name {
        if byte.is_ascii_alphanumeric() || *byte >= 0x80 {
            signs = signs << 5 | u32::from(byte & 31);
            count += 1;
            if count == HEAD_SIGNS {
                break;
            }
        }
    }
    // Fibonacci hashing; the upper bits are the good ones.
    signs.wrapping_mul(0x9E37_79B1) as usize >> (32 - HEADS.ilog2())
}

struct Folded {
    bytes: [u8; NAME_BYTES],
    len: usize,
}

impl Default for Folded {
    fn default() -> Folded {
        Folded { bytes: [0; NAME_BYTES], len: 0 }
    }
}

impl Folded {
    /// False when the name is too long to match.
    fn fold(&mut self, name: &[u8]) -> bool {
        for byte in name {
            if !(byte.is_ascii_alphanumeric() || *byte >= 0x80) {
                continue;
            }
            let Some(place) = self.bytes.get_mut(self.len) else { return false };
            *place = byte.to_ascii_lowercase();
            self.len += 1;
        }
        true
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redaction::Rule;

    #[test]
    fn spelling_makes_no_difference() {
        let keys = Keys::new(&Redaction::default()).unwrap();
        for key in ["api_key", "apiKey", "API-KEY", "Api.Key", "Set-Cookie", "system_prompt", "password"] {
            assert!(keys.find(key.as_bytes()).is_some(), "{key}");
        }
        for key in ["api_key_id", "input_tokens", "input_type", "message", "", "_", &"token".repeat(30)] {
            assert!(keys.find(key.as_bytes()).is_none(), "{key}");
        }
    }

    #[test]
    fn the_operators_rule_replaces_the_shipped_one() {
        let rule = Rule { place: Place::Key("Prompt".to_owned()), action: Action::Hash };
        let keys = Keys::new(&Redaction { defaults: true, rules: vec![rule] }).unwrap();
        assert_eq!(keys.find(b"prompt"), Some(KeyRule { action: Action::Hash, text_only: false }));
    }

    #[test]
    fn a_key_that_can_match_nothing_is_refused() {
        let rule = Rule { place: Place::Key("-_-".to_owned()), action: Action::Drop };
        Keys::new(&Redaction { defaults: false, rules: vec![rule] }).unwrap_err();
    }
}

//! What a pull source remembers: the cursor, what it has taken lately, and when it asked.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::progress::State;

/// Events that are known again when an answer repeats them. The checkpoint grows with each to 20 bytes.
pub(super) const MOST_SEEN: usize = 100_000;
/// Of a SHA-256: so few events never have the same.
const DIGEST_BYTES: usize = 12;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exported {
    pub(super) cursor: Option<String>,
    /// Of the last whole answer, when one answer is all.
    pub(super) tags: Tags,
    /// When the last run began, in seconds since 1970.
    pub(super) asked_s: Option<u64>,
    /// Each event by its digest, and the run that brought it last.
    seen: BTreeMap<String, u64>,
    run: u64,
}

/// What a server knows its answer by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tags {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) seen: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    /// The run is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<Ended>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) asked_s: u64,
    /// None when the server said that nothing has changed.
    pub(super) tags: Option<Tags>,
}

impl State for Exported {
    type Change = Change;

    fn apply(&mut self, change: Change) {
        self.seen.extend(change.seen.into_iter().map(|digest| (digest, self.run)));
        self.cursor = change.cursor.or(self.cursor.take());
        // A run that never comes to its end must not fill the checkpoint.
        if self.seen.len() > 2 * MOST_SEEN {
            self.forget();
        }
        if let Some(Ended { asked_s, tags }) = change.ended {
            self.asked_s = Some(asked_s);
            self.tags = tags.unwrap_or(std::mem::take(&mut self.tags));
            self.run += 1;
            self.forget();
        }
    }
}

impl Exported {
    pub(super) fn has_seen(&self, digest: &str) -> bool {
        self.seen.contains_key(digest)
    }

    /// What was not repeated for longest.
    fn forget(&mut self) {
        let surplus = self.seen.len().saturating_sub(MOST_SEEN);
        if surplus == 0 {
            return;
        }
        let mut oldest: Vec<(u64, String)> =
            self.seen.iter().map(|(digest, run)| (*run, digest.clone())).collect();
        oldest.sort_unstable();
        for (_, digest) in oldest.into_iter().take(surplus) {
            self.seen.remove(&digest);
        }
    }
}

/// By its text: an event that the server writes in another way is another one.
pub(super) fn digest(event: &[u8]) -> String {
    let digest = Sha256::digest(event);
    STANDARD_NO_PAD.encode(digest.get(..DIGEST_BYTES).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(numbers: std::ops::Range<usize>) -> Change {
        Change { seen: numbers.map(|number| digest(&number.to_be_bytes())).collect(), ..Change::default() }
    }

    fn ended() -> Change {
        Change { ended: Some(Ended { asked_s: 1, tags: None }), ..Change::default() }
    }

    #[test]
    fn what_is_remembered_survives_its_file_and_is_bounded_by_forgetting_what_came_longest_ago() {
        let mut state = Exported::default();
        state.apply(seen(0..10));
        state.apply(ended());
        state.apply(seen(10..20));
        state.apply(ended());
        // The first half of the first run is still repeated.
        state.apply(seen(0..5));
        state.apply(seen(20..MOST_SEEN + 5));
        state.apply(Change { cursor: Some("7".to_owned()), ..ended() });
        let has = |number: usize| state.has_seen(&digest(&number.to_be_bytes()));
        assert_eq!(state.seen.len(), MOST_SEEN);
        assert!((0..5).all(has) && !(5..10).any(has) && (10..30).all(has));
        for part in 1..4 {
            state.apply(seen(part * MOST_SEEN..(part + 1) * MOST_SEEN));
            assert!(state.seen.len() <= 2 * MOST_SEEN, "a run without an end");
        }
        assert_eq!(state.cursor.as_deref(), Some("7"));
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<Exported>(&text).unwrap(), state);
    }
}

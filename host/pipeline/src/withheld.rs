//! Events that would be dead letters, were the version that failed them not new.
//!
//! A few refusals do not send a new version back; the next ones may, and the version before has perhaps no trouble with any of
//! these events. So they are kept, unsettled, until the version has proven itself: then they are dead letters. When another
//! version is taken up first, they are formatted anew. A restart reads them again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::suspects::Suspect;

/// So many are kept, and so much of them. Then the oldest is given up.
const MAX_EVENTS: usize = 1_000;
const MAX_BYTES: usize = 4 << 20;

/// Whether the version has proven itself is seen whenever the task does anything, and after this time when it does nothing:
/// other destinations prove a version too.
const LOOK_AGAIN: Duration = Duration::from_secs(60 * 60);

/// What is withheld from the dead letters of one destination, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Withheld {
    events: VecDeque<Suspect>,
    bytes: usize,
    look_at: Option<Instant>,
}

impl Withheld {
    /// Takes in an event. Those for which there is no room any more are returned.
    pub(crate) fn keep(&mut self, suspect: Suspect, now: Instant) -> Vec<Suspect> {
        self.look_at.get_or_insert(now + LOOK_AGAIN);
        self.bytes += bytes(&suspect);
        self.events.push_back(suspect);
        let mut given_up = Vec::new();
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= bytes(&oldest);
            given_up.push(oldest);
        }
        given_up
    }

    pub(crate) fn release_all(&mut self) -> VecDeque<Suspect> {
        std::mem::take(self).events
    }

    pub(crate) fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Somebody has just looked.
    pub(crate) fn look_later(&mut self, now: Instant) {
        self.look_at = Some(now + LOOK_AGAIN);
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }
}

fn bytes(suspect: &Suspect) -> usize {
    suspect.chunk.events().as_bytes().len()
}

#[cfg(test)]
mod tests {
    use siemaphore_model::EventBuffer;
    use siemaphore_model::normalise::{Context, Normaliser, Scratch};
    use siemaphore_model::redaction::Redaction;

    use super::*;
    use crate::chunk::{Chunk, Lane};
    use crate::suspects::{Cause, Trial};

    /// An event with a text of so many bytes.
    fn suspect(position: u64, text_bytes: usize) -> Suspect {
        let normaliser = Normaliser::new("generic", &Redaction::default()).unwrap();
        let context = Context { organization: "acme", source: "test", received_ns: 0 };
        let raw = format!(r#"{{"event_type":"test","text":"{}"}}"#, "x".repeat(text_bytes));
        let mut events = EventBuffer::new();
        normaliser.normalise(&raw, &context, &mut Scratch::default(), &mut events).unwrap();
        Suspect {
            chunk: Chunk::of_events(events, vec![position], Lane::Log),
            cause: Cause::Destination,
            reason: String::new(),
            hint: String::new(),
            attempts: Vec::new(),
            trial: Trial::Last,
        }
    }

    fn positions(suspects: impl IntoIterator<Item = Suspect>) -> Vec<u64> {
        suspects.into_iter().flat_map(|suspect| suspect.chunk.places().to_vec()).collect()
    }

    #[test]
    fn the_oldest_are_given_up_when_there_are_too_many() {
        let (mut withheld, now) = (Withheld::default(), Instant::now());
        for position in 0..MAX_EVENTS as u64 {
            assert!(withheld.keep(suspect(position, 1), now).is_empty());
        }
        assert_eq!(positions(withheld.keep(suspect(7_000, 1), now)), [0]);
        assert_eq!(withheld.len(), MAX_EVENTS);
    }

    #[test]
    fn the_oldest_are_given_up_when_they_weigh_too_much() {
        let (mut withheld, now) = (Withheld::default(), Instant::now());
        let part = MAX_BYTES / 33;
        for position in 0..32 {
            assert!(withheld.keep(suspect(position, part), now).is_empty());
        }
        assert_eq!(positions(withheld.keep(suspect(32, 2 * part), now)), [0, 1]);
        assert_eq!(positions(withheld.release_all()), (2..33).collect::<Vec<_>>());
        assert_eq!((withheld.len(), withheld.bytes, withheld.look_at()), (0, 0, None));
    }
}

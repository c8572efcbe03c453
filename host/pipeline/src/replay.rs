//! The lane of dead letters that an operator wants sent again.
//!
//! Which ones is written in the store, so a restart forgets nothing. One page of them is in hand at a time, beside the
//! log's events and with the same limits, version and line. A letter that fails again is put back at once with its new
//! cause: it is safe where it is, so nobody has to wait for a proof of its guilt. That also bounds a replay of letters
//! that all fail: fewer than two requests for each.

use siemaphore_store::{FullDeadLetter, StoreError};

use crate::reading::chunks_of_letters;
use crate::suspects::Trial;
use crate::task::{Done, Task, Work};

/// Letters in hand at a time.
const PAGE: u32 = 500;

/// How far the lane is.
#[derive(Debug)]
pub(crate) struct Replay {
    /// Letters that were read and whose fate is open.
    in_hand: usize,
    /// There may be marked letters in the store.
    wants_look: bool,
    looking: bool,
}

impl Replay {
    /// A restart may have come in the middle of one.
    pub(crate) fn new() -> Replay {
        Replay { in_hand: 0, wants_look: true, looking: false }
    }

    pub(crate) fn in_hand(&self) -> usize {
        self.in_hand
    }

    pub(crate) fn requested(&mut self) {
        self.wants_look = true;
    }

    /// The fate of letters is known.
    pub(crate) fn let_go(&mut self, letters: usize) {
        self.in_hand = self.in_hand.saturating_sub(letters);
    }

    /// A new look is due: everything of the last one is settled.
    fn is_due(&self) -> bool {
        self.wants_look && !self.looking && self.in_hand == 0
    }
}

impl Task {
    pub(crate) fn look_for_replays(&mut self) {
        if self.version.is_none() || !self.replay.is_due() {
            return;
        }
        self.replay.wants_look = false;
        self.replay.looking = true;
        let (store, destination) = (self.stages.store.clone(), self.config.destination.clone());
        self.running.spawn(async move { Done::Replays(store.replays(&destination, 0, PAGE).await) });
    }

    pub(crate) fn replays_found(&mut self, found: Result<Vec<FullDeadLetter>, StoreError>) {
        self.replay.looking = false;
        match found {
            Ok(letters) => {
                let chunks = chunks_of_letters(&letters);
                let events = chunks.iter().map(|chunk| chunk.len()).sum::<usize>();
                // Another page may follow; one with nothing to send ends it.
                self.replay.wants_look |= events > 0;
                self.replay.in_hand += events;
                self.work.extend(chunks.into_iter().map(|chunk| Work::Format(chunk, Trial::First)));
            }
            Err(error) => {
                self.replay.wants_look = true;
                self.store_failed(&error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_finished_before_the_next_look() {
        let mut replay = Replay::new();
        assert!(replay.is_due());
        replay.in_hand = 3;
        replay.let_go(2);
        assert!(!replay.is_due());
        replay.let_go(1);
        assert!(replay.is_due());
        replay.wants_look = false;
        assert!(!replay.is_due());
        replay.requested();
        assert!(replay.is_due());
    }
}

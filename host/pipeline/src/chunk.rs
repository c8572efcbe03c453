//! Events on their way through one `format` call, and where each stands in the log.

use std::ops::Range;
use std::sync::Arc;

use siemaphore_model::{Event, EventBuffer};

/// Selected events with the position of each. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    events: Arc<EventBuffer>,
    /// One for each event, ascending.
    positions: Arc<[u64]>,
}

impl Chunk {
    /// A whole block, shared and not copied.
    pub(crate) fn of_block(events: Arc<EventBuffer>, first: u64) -> Chunk {
        let positions = (first..).take(events.len()).collect();
        Chunk { events, positions }
    }

    pub(crate) fn of_events(events: EventBuffer, positions: Vec<u64>) -> Chunk {
        Chunk { events: Arc::new(events), positions: positions.into() }
    }

    pub(crate) fn len(&self) -> usize {
        self.positions.len()
    }

    pub(crate) fn positions(&self) -> &[u64] {
        &self.positions
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        self.events.iter()
    }

    /// A chunk of some of these events, by their index in ascending order. Copies: for the ways of failure only.
    pub(crate) fn subset(&self, members: &[u32]) -> Chunk {
        let mut events = EventBuffer::new();
        let mut positions = Vec::with_capacity(members.len());
        let mut wanted = members.iter().map(|&index| index as usize).peekable();
        for (index, (event, position)) in self.events.iter().zip(self.positions.iter()).enumerate() {
            if wanted.next_if_eq(&index).is_some() {
                events.push(&event);
                positions.push(*position);
            }
        }
        Chunk::of_events(events, positions)
    }

    /// The events alone, to be kept with a dead letter.
    pub(crate) fn events(&self) -> &EventBuffer {
        &self.events
    }

    /// Two halves, the first the larger; `None` for a single event.
    pub(crate) fn halves(&self) -> Option<[Chunk; 2]> {
        if self.len() < 2 {
            return None;
        }
        let all: Vec<u32> = (0..).take(self.len()).collect();
        let (left, right) = all.split_at(all.len().div_ceil(2));
        Some([self.subset(left), self.subset(right)])
    }
}

/// Neighbouring positions as ranges.
pub(crate) fn ranges(positions: impl IntoIterator<Item = u64>) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for position in positions {
        match ranges.last_mut() {
            Some(last) if last.end == position => last.end += 1,
            _ => ranges.push(position..position + 1),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one_range() {
        assert_eq!(ranges([1, 2, 3, 7, 9, 10]), [1..4, 7..8, 9..11]);
        assert_eq!(ranges([]), Vec::<Range<u64>>::new());
    }
}

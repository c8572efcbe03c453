//! Events on their way through one `format` call, and the place that each has in the log or among the dead letters.

use std::ops::Range;
use std::sync::Arc;

use siemaphore_model::{Event, EventBuffer, EventKey};

/// Where events come from, and where their fate is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lane {
    /// The log: a place is a position in it.
    #[default]
    Log,
    /// Dead letters that are sent again: a place is the id of a letter.
    Replay,
}

/// Selected events with the place of each. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    events: Arc<EventBuffer>,
    /// One for each event, ascending.
    places: Arc<[u64]>,
    lane: Lane,
}

impl Chunk {
    /// A whole block, shared and not copied.
    pub(crate) fn of_block(events: Arc<EventBuffer>, first: u64) -> Chunk {
        let places = (first..).take(events.len()).collect();
        Chunk { events, places, lane: Lane::Log }
    }

    pub(crate) fn of_events(events: EventBuffer, places: Vec<u64>, lane: Lane) -> Chunk {
        Chunk { events: Arc::new(events), places: places.into(), lane }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn places(&self) -> &[u64] {
        &self.places
    }

    pub(crate) fn lane(&self) -> Lane {
        self.lane
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        self.events.iter()
    }

    /// By which an operator finds an event that stands alone.
    pub(crate) fn key_of_only(&self) -> Option<EventKey> {
        if self.len() == 1 { self.iter().next().map(|event| event.key()) } else { None }
    }

    /// A chunk of some of these events, by their index in ascending order. Copies: for the ways of failure only.
    pub(crate) fn subset(&self, members: &[u32]) -> Chunk {
        let mut events = EventBuffer::new();
        let mut places = Vec::with_capacity(members.len());
        let mut wanted = members.iter().map(|&index| index as usize).peekable();
        for (index, (event, place)) in self.events.iter().zip(self.places.iter()).enumerate() {
            if wanted.next_if_eq(&index).is_some() {
                events.push(&event);
                places.push(*place);
            }
        }
        Chunk::of_events(events, places, self.lane)
    }

    /// Each event by itself.
    pub(crate) fn singles(&self) -> impl Iterator<Item = Chunk> {
        self.events.iter().zip(self.places.iter()).map(|(event, place)| {
            let mut events = EventBuffer::new();
            events.push(&event);
            Chunk::of_events(events, vec![*place], self.lane)
        })
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

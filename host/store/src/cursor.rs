//! How far one destination has settled the log: everything below a position, and some runs above it.
//!
//! Positions that are in no block of the destination's organisation (other organisations' events, deleted blocks) may
//! be settled freely: nothing waits there. [`settle`](crate::settle) uses this to bridge the gaps between blocks, so
//! that interleaved organisations do not break the runs into pieces.

use crate::ranges::Runs;
use std::ops::Range;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    below: u64,
    runs: Runs,
}

impl Cursor {
    /// A cursor that starts at a position: all before it is of no concern.
    pub(crate) fn at(position: u64) -> Cursor {
        Cursor { below: position, runs: Runs::default() }
    }

    pub(crate) fn from_parts(below: u64, runs: Runs) -> Cursor {
        let mut cursor = Cursor { below, runs };
        cursor.advance();
        cursor
    }

    /// All positions below this one are settled.
    pub(crate) fn below(&self) -> u64 {
        self.below
    }

    pub(crate) fn runs(&self) -> &Runs {
        &self.runs
    }

    pub(crate) fn settle(&mut self, range: Range<u64>) {
        self.runs.insert(range.start.max(self.below)..range.end);
        self.advance();
    }

    /// The parts of `range` that are not settled, in order.
    pub(crate) fn unsettled(&self, range: Range<u64>) -> Vec<Range<u64>> {
        self.runs.missing(range.start.max(self.below)..range.end)
    }

    /// The first position at or after `from` that is not settled.
    pub(crate) fn next_unsettled(&self, from: u64) -> u64 {
        self.runs.end_of_run_at(from.max(self.below))
    }

    fn advance(&mut self) {
        while let Some(run) = self.runs.first().filter(|run| run.start <= self.below) {
            self.below = self.below.max(run.end);
            self.runs.remove_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_passes_a_gap_only_when_it_is_closed() {
        let mut cursor = Cursor::at(10);
        cursor.settle(20..30);
        assert_eq!((cursor.below(), cursor.runs().len()), (10, 1));
        assert_eq!(cursor.unsettled(0..40), [10..20, 30..40]);
        cursor.settle(5..20);
        assert_eq!((cursor.below(), cursor.runs().len()), (30, 0));
        assert_eq!(cursor.next_unsettled(0), 30);
    }

    #[test]
    fn what_lies_below_the_start_is_of_no_concern() {
        let mut cursor = Cursor::at(10);
        assert_eq!(cursor.unsettled(0..10), []);
        cursor.settle(0..5);
        assert_eq!(cursor, Cursor::at(10));
    }
}

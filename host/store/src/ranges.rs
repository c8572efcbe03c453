//! Sets of positions as sorted runs: what a destination has settled above its cursor.
//!
//! Pure arithmetic. Runs are half-open, not empty, disjoint and never touch, so a set has exactly one form.

use std::ops::Range;

/// A set of positions, run-length encoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Runs(Vec<Range<u64>>);

impl Runs {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn first(&self) -> Option<&Range<u64>> {
        self.0.first()
    }

    /// Adds all positions of a range; those that are there already stay.
    pub(crate) fn insert(&mut self, added: Range<u64>) {
        if added.is_empty() {
            return;
        }
        // Runs that overlap the new range or touch it melt into one.
        let from = self.0.partition_point(|run| run.end < added.start);
        let to = self.0.partition_point(|run| run.start <= added.end);
        let touched = self.0.get(from..to).unwrap_or_default();
        let start = touched.first().map_or(added.start, |run| run.start.min(added.start));
        let end = touched.last().map_or(added.end, |run| run.end.max(added.end));
        self.0.splice(from..to, std::iter::once(start..end));
    }

    /// Takes the lowest run out.
    pub(crate) fn remove_first(&mut self) {
        if !self.0.is_empty() {
            self.0.remove(0);
        }
    }

    /// The parts of `range` that are not in the set, in order.
    pub(crate) fn missing(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let mut missing = Vec::new();
        let mut from = range.start;
        let overlapping = self.0.partition_point(|run| run.end <= range.start);
        for run in self.0.iter().skip(overlapping).take_while(|run| run.start < range.end) {
            if from < run.start {
                missing.push(from..run.start);
            }
            from = run.end;
        }
        if from < range.end {
            missing.push(from..range.end);
        }
        missing
    }

    /// The end of the run that holds `position`, or the position itself when no run does.
    pub(crate) fn end_of_run_at(&self, position: u64) -> u64 {
        let at = self.0.partition_point(|run| run.end <= position);
        match self.0.get(at) {
            Some(run) if run.start <= position => run.end,
            _ => position,
        }
    }

    /// Stored form: for each run the distance from the end of the one before and its length, both as LEB128.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 4);
        let mut previous_end = 0;
        for run in &self.0 {
            push_varint(&mut bytes, run.start - previous_end);
            push_varint(&mut bytes, run.end - run.start);
            previous_end = run.end;
        }
        bytes
    }

    /// Takes back what [`encode`](Self::encode) gave; `None` when the bytes are damaged.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Runs> {
        let mut runs = Vec::new();
        let mut previous_end: u64 = 0;
        while !bytes.is_empty() {
            let start = previous_end.checked_add(take_varint(&mut bytes)?)?;
            let end = start.checked_add(take_varint(&mut bytes)?)?;
            let touches = start == previous_end && !runs.is_empty();
            if start == end || touches {
                return None;
            }
            runs.push(start..end);
            previous_end = end;
        }
        Some(Runs(runs))
    }
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if bits.leading_zeros() < shift {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// How many positions the ranges hold. They must not overlap.
pub(crate) fn total(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum()
}

/// What two ranges share; empty when nothing.
pub(crate) fn overlap(left: &Range<u64>, right: &Range<u64>) -> Range<u64> {
    let start = left.start.max(right.start);
    start..left.end.min(right.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn ranges() -> impl Strategy<Value = Vec<Range<u64>>> {
        prop::collection::vec(
            (0..200_u64, 0..20_u64).prop_map(|(start, length)| start..start + length),
            0..40,
        )
    }

    proptest! {
        #[test]
        fn runs_behave_like_a_set_of_numbers(added in ranges(), asked in 0..220_u64, width in 0..40_u64) {
            let mut runs = Runs::default();
            let mut model = BTreeSet::new();
            for range in added {
                model.extend(range.clone());
                runs.insert(range);
            }
            let missing: Vec<u64> = runs.missing(asked..asked + width).into_iter().flatten().collect();
            let expected: Vec<u64> = (asked..asked + width).filter(|at| !model.contains(at)).collect();
            prop_assert_eq!(missing, expected);
            let next_missing = (asked..).find(|at| !model.contains(at)).unwrap();
            prop_assert_eq!(runs.end_of_run_at(asked), next_missing);
            for pair in runs.0.windows(2) {
                prop_assert!(pair[0].end < pair[1].start, "runs overlap or touch: {:?}", runs);
            }
            prop_assert_eq!(Runs::decode(&runs.encode()), Some(runs));
        }

        #[test]
        fn any_bytes_decode_to_one_form_or_not_at_all(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(runs) = Runs::decode(&bytes) {
                prop_assert_eq!(Runs::decode(&runs.encode()), Some(runs));
            }
        }
    }

    #[test]
    fn the_largest_positions_survive_encoding() {
        let mut runs = Runs::default();
        runs.insert(0..1);
        runs.insert(u64::MAX - 1..u64::MAX);
        assert_eq!(Runs::decode(&runs.encode()), Some(runs));
    }

    #[test]
    fn cut_or_touching_runs_are_refused() {
        assert_eq!(Runs::decode(&[5]), None);
        assert_eq!(Runs::decode(&[5, 0]), None);
        assert_eq!(Runs::decode(&[5, 1, 0, 1]), None);
        assert_eq!(Runs::decode(&[0xff; 11]), None);
    }
}

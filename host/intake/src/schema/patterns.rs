//! What a pattern may cost for each byte that it is matched with.
//!
//! Matching is linear in the text, times the states of the automaton: those of a counted repetition may all be alive at
//! every byte. Of its size nobody tells more than whether it stays below a limit, so each pattern is compiled under limits
//! that double.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{PATTERN_BYTES, build_within};

/// A step, a tenth of a microsecond, goes through about so much of an automaton when all of it is alive.
const BYTES_A_STEP: usize = 1024;

/// The patterns of one schema, each measured once.
#[derive(Debug)]
pub(super) struct Patterns {
    known: HashMap<String, u64>,
    times: u64,
}

impl Patterns {
    /// `ways` is the most ways through a schema that asks for what is unevaluated.
    pub(super) fn new(ways: u64) -> Patterns {
        // By `patternProperties` itself, by `additionalProperties` or `unevaluatedProperties` beside it, and over each way.
        Patterns { known: HashMap::new(), times: ways.saturating_add(2) }
    }

    /// The steps for each byte. A pattern that does not compile costs as much as the largest: it is refused elsewhere.
    pub(super) fn cost(&mut self, pattern: &str) -> u64 {
        if let Some(known) = self.known.get(pattern) {
            return *known;
        }
        let schema = json!({ "pattern": pattern });
        let cost = (size(&schema) / BYTES_A_STEP) as u64;
        self.known.insert(pattern.to_owned(), cost);
        cost
    }

    /// The steps for each byte of a member's name, of all patterns that it is matched with.
    pub(super) fn cost_of_names<'a>(&mut self, patterns: impl Iterator<Item = &'a String>) -> u64 {
        patterns.map(|pattern| self.cost(pattern)).sum::<u64>().saturating_mul(self.times)
    }
}

fn size(schema: &Value) -> usize {
    let mut limit = BYTES_A_STEP;
    while limit < PATTERN_BYTES && build_within(schema, limit).is_err() {
        limit *= 2;
    }
    limit
}

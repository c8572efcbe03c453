//! What one check may cost, in steps and in stack.
//!
//! References and alternatives can make a small schema ask 2^n questions of a small event, and references in a row can
//! lead as deep as they are many. So each schema inside a schema is preceded by a keyword of ours ([`super::charged`]).
//! It is asked before anything of that schema is, charges what that costs, and fails once the budget is spent: from then on
//! each question still open is answered with no by its first keyword, and the check soon ends.

use std::cell::Cell;

use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value, json};

use super::patterns::Patterns;

/// A name that no producer's schema has for something else.
pub(super) const KEYWORD: &str = "x-siemaphore-charge";

/// Of the two mebibytes that a thread for blocking work has.
const STACK_BYTES: usize = 1024 * 1024;

#[derive(Debug, Clone, Copy, Default)]
struct Budget {
    left: u64,
    /// An address on the stack where the check began.
    start: usize,
    spent: bool,
}

thread_local! {
    static BUDGET: Cell<Budget> = const { Cell::new(Budget { left: 0, start: 0, spent: true }) };
}

/// None when it was not done within so many steps. What it says then means nothing.
pub(super) fn within<T>(steps: u64, work: impl FnOnce() -> T) -> Option<T> {
    BUDGET.set(Budget { left: steps, start: here(), spent: false });
    let done = work();
    (!BUDGET.take().spent).then_some(done)
}

fn here() -> usize {
    let on_the_stack = 0_u8;
    std::ptr::from_ref(&on_the_stack).addr()
}

const LISTS: [&str; 8] =
    ["enum", "required", "dependentRequired", "properties", "allOf", "anyOf", "oneOf", "prefixItems"];
const OF_EACH: [&str; 6] =
    ["uniqueItems", "additionalProperties", "items", "contains", "propertyNames", "unevaluatedProperties"];
const OF_TEXT: [&str; 3] = ["format", "contentEncoding", "contentMediaType"];

/// What one schema costs by itself, without those inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charge {
    fixed: u64,
    /// For each member or element of what is checked.
    each: u64,
    /// For each byte of text.
    byte: u64,
    /// For each byte of a member's name.
    name_byte: u64,
}

impl Charge {
    pub(super) fn of(schema: &Value, patterns: &mut Patterns) -> Charge {
        let pattern = schema.get("pattern").and_then(Value::as_str).map(|pattern| patterns.cost(pattern));
        let of_names = schema.get("patternProperties").and_then(Value::as_object);
        let name_byte = patterns.cost_of_names(of_names.into_iter().flat_map(Map::keys));
        let count = |keyword: &str| match schema.get(keyword) {
            Some(Value::Array(list)) => list.len() as u64,
            Some(Value::Object(map)) => map.len() as u64,
            _ => 0,
        };
        let counts = |keywords: &[&str]| keywords.iter().map(|keyword| count(keyword)).sum::<u64>();
        let given = |keywords: &[&str]| {
            keywords.iter().filter(|keyword| schema.get(keyword).is_some()).count() as u64
        };
        Charge {
            fixed: 1 + counts(&LISTS),
            each: count("patternProperties") + given(&OF_EACH),
            byte: pattern.unwrap_or(0) + given(&OF_TEXT),
            name_byte,
        }
    }

    pub(super) fn write(self) -> Value {
        json!([self.fixed, self.each, self.byte, self.name_byte])
    }

    pub(super) fn read(written: &Value) -> Charge {
        let part = |index: usize| written.get(index).and_then(Value::as_u64).unwrap_or(1);
        Charge { fixed: part(0), each: part(1), byte: part(2), name_byte: part(3) }
    }

    fn cost(self, instance: &Value) -> u64 {
        // A pattern looks at the end of a text too, so that an empty one costs as well.
        let (parts, bytes, name_bytes) = match instance {
            Value::Object(members) if self.name_byte > 0 => {
                (members.len(), 0, members.keys().map(|name| name.len() + 1).sum())
            }
            Value::Object(members) => (members.len(), 0, 0),
            Value::Array(elements) => (elements.len(), 0, 0),
            Value::String(text) => (0, text.len() + 1, 0),
            Value::Null | Value::Bool(_) | Value::Number(_) => (0, 0, 0),
        };
        let times = |cost: u64, count: usize| cost.saturating_mul(count as u64);
        [times(self.each, parts), times(self.byte, bytes), times(self.name_byte, name_bytes)]
            .into_iter()
            .fold(self.fixed, u64::saturating_add)
    }

    pub(super) fn and(self, other: Charge) -> Charge {
        Charge {
            fixed: self.fixed + other.fixed,
            each: self.each + other.each,
            byte: self.byte + other.byte,
            name_byte: self.name_byte.saturating_add(other.name_byte),
        }
    }

    pub(super) fn pay(self, instance: &Value) -> bool {
        let mut budget = BUDGET.get();
        let cost = self.cost(instance);
        budget.spent |= cost > budget.left || here().abs_diff(budget.start) > STACK_BYTES;
        budget.left = budget.left.saturating_sub(cost);
        BUDGET.set(budget);
        !budget.spent
    }
}

impl<'i> Keyword<'i> for Charge {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.pay(instance) { Ok(()) } else { Err(ValidationError::custom("the budget is spent")) }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.pay(instance)
    }
}

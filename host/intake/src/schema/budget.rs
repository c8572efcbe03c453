//! What one check may cost, in steps and in stack.
//!
//! References and alternatives can make a small schema ask 2^n questions of a small event, and references in a row can
//! lead as deep as they are many. So each schema inside a schema is preceded by a keyword of ours ([`super::charged`]).
//! It is asked before anything of that schema is, charges what that costs, and fails once the budget is spent: from then on
//! each question still open is answered with no by its first keyword, and the check soon ends.

use std::cell::Cell;

use jsonschema::{Keyword, ValidationError};
use serde_json::{Value, json};

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
const OF_TEXT: [&str; 4] = ["pattern", "format", "contentEncoding", "contentMediaType"];

/// What one schema costs by itself, without those inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charge {
    fixed: u64,
    /// For each member or element of what is checked.
    each: u64,
    /// For each byte of text.
    byte: u64,
}

impl Charge {
    pub(super) fn of(schema: &Value) -> Charge {
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
            byte: given(&OF_TEXT),
        }
    }

    pub(super) fn write(self) -> Value {
        json!([self.fixed, self.each, self.byte])
    }

    pub(super) fn read(written: &Value) -> Charge {
        let part = |index: usize| written.get(index).and_then(Value::as_u64).unwrap_or(1);
        Charge { fixed: part(0), each: part(1), byte: part(2) }
    }

    fn cost(self, instance: &Value) -> u64 {
        let (parts, bytes) = match instance {
            Value::Object(members) => (members.len(), 0),
            Value::Array(elements) => (elements.len(), 0),
            Value::String(text) => (0, text.len()),
            Value::Null | Value::Bool(_) | Value::Number(_) => (0, 0),
        };
        let by_parts = self.each.saturating_mul(parts as u64);
        self.fixed.saturating_add(by_parts).saturating_add(self.byte.saturating_mul(bytes as u64))
    }

    pub(super) fn and(self, other: Charge) -> Charge {
        let Charge { fixed, each, byte } = other;
        Charge { fixed: self.fixed + fixed, each: self.each + each, byte: self.byte + byte }
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

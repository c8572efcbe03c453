//! How many ways through a schema there are at one place of an event: itself, and all that `allOf`, references and the like
//! lead to before anything deeper in the event is asked.
//!
//! For `unevaluatedProperties` and `unevaluatedItems` the compiler goes all of them, and each check goes them again for each
//! other: there the charges do not help, so the ways have to be few.

use std::collections::HashMap;

use serde_json::Value;

const SEVERAL: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const ONE: [&str; 4] = ["not", "if", "then", "else"];
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
const UNEVALUATED: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];

/// More than one, counted for each schema that asks for what is unevaluated: the most, and all together.
pub(super) fn unevaluated(written: &Value) -> (u64, u64) {
    let mut asking = Vec::new();
    let mut names = HashMap::new();
    find(written, &mut asking, &mut names);
    let mut ways = Ways { root: written, names, known: HashMap::new() };
    asking.into_iter().fold((0, 0), |(most, all), schema| {
        let more = ways.of(schema) - 1;
        (most.max(more), more.saturating_add(all))
    })
}

/// Wherever they stand: what is data at worst counts too much.
fn find<'a>(value: &'a Value, asking: &mut Vec<&'a Value>, names: &mut HashMap<&'a str, &'a Value>) {
    match value {
        Value::Object(members) => {
            if UNEVALUATED.iter().any(|keyword| members.contains_key(*keyword)) {
                asking.push(value);
            }
            for keyword in ["$id", "$anchor", "$dynamicAnchor"] {
                if let Some(name) = members.get(keyword).and_then(Value::as_str) {
                    names.insert(name, value);
                }
            }
            members.values().for_each(|inner| find(inner, asking, names));
        }
        Value::Array(elements) => elements.iter().for_each(|inner| find(inner, asking, names)),
        _ => {}
    }
}

struct Ways<'a> {
    root: &'a Value,
    names: HashMap<&'a str, &'a Value>,
    /// By the place in memory. None while it is being counted: a ring is gone once.
    known: HashMap<*const Value, Option<u64>>,
}

impl<'a> Ways<'a> {
    fn of(&mut self, schema: &'a Value) -> u64 {
        let Value::Object(members) = schema else { return 1 };
        let place = std::ptr::from_ref(schema);
        if let Some(known) = self.known.get(&place) {
            return known.unwrap_or(1);
        }
        self.known.insert(place, None);
        let mut inner: Vec<&'a Value> = Vec::new();
        for (keyword, value) in members {
            match value {
                Value::Array(all) if SEVERAL.contains(&keyword.as_str()) => inner.extend(all),
                Value::Object(all) if keyword == "dependentSchemas" => inner.extend(all.values()),
                Value::String(to) if REFERENCES.contains(&keyword.as_str()) => inner.push(self.target(to)),
                _ if ONE.contains(&keyword.as_str()) => inner.push(value),
                _ => {}
            }
        }
        let ways = inner.into_iter().fold(1, |sum: u64, one| sum.saturating_add(self.of(one)));
        self.known.insert(place, Some(ways));
        ways
    }

    /// What cannot be found here may be anything, and counts as all of it.
    fn target(&self, to: &str) -> &'a Value {
        let (resource, fragment) = to.split_once('#').unwrap_or((to, ""));
        let base = match resource {
            "" => Some(self.root),
            named => self.names.get(named).copied(),
        };
        let target = match fragment {
            "" => base,
            pointer if pointer.starts_with('/') => {
                base.and_then(|base| base.pointer(&pointer.replace("%24", "$")))
            }
            name => self.names.get(name).copied(),
        };
        target.unwrap_or(self.root)
    }
}

//! A schema with a charge before each schema inside it: `S` becomes `{"allOf": [charge, S]}`, which means the same.
//!
//! Only where keywords of JSON Schema have schemas: what stands in `enum`, `const`, `default` and `examples` is data. Under
//! a keyword that we do not know, only what refers to something is charged, since references may lead there too. References
//! by JSON Pointer are written anew for the places that have moved. `true` and `false` are paid for by what they are in.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::SUBSCHEMAS;
use super::budget::{Charge, KEYWORD};
use super::patterns::Patterns;

const DATA: [&str; 4] = ["enum", "const", "default", "examples"];
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
const OF_SCHEMAS_BY_NAME: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];
const OF_SCHEMAS: [&str; 5] = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];
const OF_ONE_SCHEMA: [&str; 11] = [
    "items",
    "additionalItems",
    "additionalProperties",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const ALTERNATIVES: [&str; 2] = ["anyOf", "oneOf"];
const OF_ALTERNATIVES: [&str; 2] = ["unevaluatedItems", "unevaluatedProperties"];

/// What becomes of `anyOf` and `oneOf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alternatives {
    Kept,
    /// Denied twice, so that whoever looks for errors does not look for those of each alternative, which are as many as
    /// there are ways through the schema. What depends on which one fits is left out.
    Closed,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Charged {
    pub(super) schema: Value,
    pub(super) has_alternatives: bool,
}

/// None when there are too many schemas.
pub(super) fn charged(
    written: &Value,
    alternatives: Alternatives,
    patterns: &mut Patterns,
) -> Option<Charged> {
    let mut walk = Walk {
        root: Charge::of(written, patterns),
        alternatives,
        patterns,
        moved: HashSet::new(),
        found: HashSet::new(),
        has_alternatives: false,
    };
    walk.schema(written, "", "")?;
    walk.moved = std::mem::take(&mut walk.found);
    let schema = walk.schema(written, "", "")?;
    Some(Charged { schema, has_alternatives: walk.has_alternatives })
}

/// Walks twice: once to find what moves, and once more when that is known.
struct Walk<'a> {
    root: Charge,
    alternatives: Alternatives,
    patterns: &'a mut Patterns,
    /// The places of schemas that have a charge before them, as pointers into what is written.
    moved: HashSet<String>,
    found: HashSet<String>,
    has_alternatives: bool,
}

impl Walk<'_> {
    /// `base` is the place of the innermost schema with an identifier: references begin there.
    fn schema(&mut self, written: &Value, at: &str, base: &str) -> Option<Value> {
        let Value::Object(members) = written else { return Some(written.clone()) };
        let base = if members.get("$id").is_some_and(Value::is_string) { at } else { base };
        let mut all = Map::new();
        let mut closed = Vec::new();
        for (keyword, value) in members {
            let keyword = keyword.as_str();
            let place = below(at, keyword);
            let value = self.keyword(keyword, value, &place, base)?;
            if ALTERNATIVES.contains(&keyword) {
                self.has_alternatives = true;
                if self.alternatives == Alternatives::Closed {
                    closed.push(json!({ "not": { "not": { keyword: value } } }));
                    continue;
                }
            }
            if self.alternatives == Alternatives::Kept || !OF_ALTERNATIVES.contains(&keyword) {
                all.insert(keyword.to_owned(), value);
            }
        }
        if !closed.is_empty() {
            let both = all.entry("allOf").or_insert_with(|| Value::Array(Vec::new()));
            if let Some(both) = both.as_array_mut() {
                both.append(&mut closed);
            }
        }
        Some(Value::Object(all))
    }

    fn keyword(&mut self, keyword: &str, value: &Value, at: &str, base: &str) -> Option<Value> {
        match value {
            _ if DATA.contains(&keyword) => Some(value.clone()),
            Value::String(to) if REFERENCES.contains(&keyword) => Some(self.reference(to, base).into()),
            Value::Object(schemas) if OF_SCHEMAS_BY_NAME.contains(&keyword) => {
                let each = schemas
                    .iter()
                    .map(|(name, one)| Some((name.clone(), self.charge(one, &below(at, name), base)?)));
                each.collect::<Option<Map<_, _>>>().map(Value::Object)
            }
            Value::Array(schemas) if OF_SCHEMAS.contains(&keyword) => {
                let each = (0_usize..).zip(schemas);
                let each = each.map(|(index, one)| self.charge(one, &format!("{at}/{index}"), base));
                each.collect::<Option<Vec<_>>>().map(Value::Array)
            }
            _ if OF_ONE_SCHEMA.contains(&keyword) => self.charge(value, at, base),
            _ => self.unknown(value, at, base),
        }
    }

    fn charge(&mut self, written: &Value, at: &str, base: &str) -> Option<Value> {
        if !written.is_object() {
            return Some(written.clone());
        }
        self.found.insert(at.to_owned());
        if self.found.len() > SUBSCHEMAS {
            return None;
        }
        let schema = self.schema(written, at, base)?;
        // Nothing stands before the outermost schema.
        let is_again = REFERENCES.iter().any(|keyword| written.get(*keyword).is_some_and(|to| to == "#"));
        let charge = Charge::of(written, self.patterns);
        let charge = if is_again { charge.and(self.root) } else { charge };
        Some(json!({ "allOf": [{ KEYWORD: charge.write() }, schema] }))
    }

    /// What may hold schemas, and may hold anything else.
    fn unknown(&mut self, value: &Value, at: &str, base: &str) -> Option<Value> {
        match value {
            Value::Object(members) => {
                let refers =
                    REFERENCES.iter().any(|keyword| members.get(*keyword).is_some_and(Value::is_string));
                if refers { self.charge(value, at, base) } else { self.schema(value, at, base) }
            }
            Value::Array(elements) => {
                let each = (0_usize..).zip(elements);
                let each = each.map(|(index, one)| self.unknown(one, &format!("{at}/{index}"), base));
                each.collect::<Option<Vec<_>>>().map(Value::Array)
            }
            other => Some(other.clone()),
        }
    }

    fn reference(&self, to: &str, base: &str) -> String {
        let Some(tokens) = to.strip_prefix("#/") else { return to.to_owned() };
        let (mut written, mut moved) = (base.to_owned(), String::from("#"));
        for token in tokens.split('/') {
            if written != base && self.moved.contains(&written) {
                moved.push_str("/allOf/1");
            }
            written = format!("{written}/{}", plain(token));
            moved = format!("{moved}/{token}");
        }
        moved
    }
}

fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// References are parts of URLs: `$` may be written `%24`.
fn plain(token: &str) -> String {
    token.replace("%24", "$")
}

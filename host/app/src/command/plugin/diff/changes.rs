//! What differs between two texts or JSON values, by place.

use serde::Serialize;
use serde_json::Value;

use crate::print;

/// Differences of one record that are kept; a record that is wholly different is told by the first few.
const MOST_CHANGES: usize = 20;
/// A value that is longer is cut: a difference is looked at, not copied from.
const LONGEST_VALUE_CHARACTERS: usize = 200;

/// One place that differs. What is missing on one side was added or removed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Change {
    /// A JSON Pointer, or the number of a line.
    pub(crate) at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) old: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) new: Option<Value>,
}

/// The first differences, and how many there are in all.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Changes {
    pub(crate) count: usize,
    pub(crate) changes: Vec<Change>,
}

impl Changes {
    pub(crate) fn between(old: &Value, new: &Value) -> Changes {
        let mut changes = Changes::default();
        changes.compare("", old, new);
        changes
    }

    /// Adds what differs below `at`.
    pub(crate) fn compare(&mut self, at: &str, old: &Value, new: &Value) {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                for (name, value) in old {
                    let at = format!("{at}/{}", escaped(name));
                    match new.get(name) {
                        Some(other) => self.compare(&at, value, other),
                        None => self.add(at, Some(value), None),
                    }
                }
                for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                    self.add(format!("{at}/{}", escaped(name)), None, Some(value));
                }
            }
            (Value::Array(old), Value::Array(new)) => {
                for index in 0..old.len().max(new.len()) {
                    let at = format!("{at}/{index}");
                    match (old.get(index), new.get(index)) {
                        (Some(old), Some(new)) => self.compare(&at, old, new),
                        (old, new) => self.add(at, old, new),
                    }
                }
            }
            (old, new) if old == new => {}
            (old, new) => self.add(at.to_owned(), Some(old), Some(new)),
        }
    }

    pub(crate) fn show(&self) {
        let widest = self.changes.iter().map(|change| change.at.chars().count()).max().unwrap_or_default();
        for Change { at, old, new } in &self.changes {
            let told = match (old, new) {
                (Some(old), Some(new)) => format!("{old} -> {new}"),
                (Some(old), None) => format!("{old} removed"),
                (None, Some(new)) => format!("{new} added"),
                (None, None) => "differ".to_owned(),
            };
            print::line(format_args!("  {at:widest$}  {told}"));
        }
        let more = self.count - self.changes.len();
        if more > 0 {
            print::line(format_args!("  and {more} more"));
        }
    }

    pub(crate) fn add(&mut self, at: String, old: Option<&Value>, new: Option<&Value>) {
        self.count += 1;
        if self.changes.len() < MOST_CHANGES {
            self.changes.push(Change { at, old: old.map(cut), new: new.map(cut) });
        }
    }
}

/// A name as a JSON Pointer writes it.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn cut(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST_VALUE_CHARACTERS) {
        None => value.clone(),
        Some((end, _)) => {
            let beginning = text.get(..end).unwrap_or_default();
            Value::String(format!("{beginning}… ({} bytes)", text.len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(old: &Value, new: &Value) -> Vec<(String, Option<Value>, Option<Value>)> {
        let changes = Changes::between(old, new).changes;
        changes.into_iter().map(|change| (change.at, change.old, change.new)).collect()
    }

    #[test]
    fn each_place_that_differs_is_told_once_with_both_values() {
        let old =
            json!({ "same": 1, "changed": "a", "gone": null, "list": [1, 2, 3], "a/b~c": { "deep": true } });
        let new = json!({ "same": 1, "changed": "b", "list": [1, 5], "a/b~c": { "deep": [] }, "new": {} });
        let mut changes = told(&old, &new);
        changes.sort_by(|left, right| left.0.cmp(&right.0));
        let expected = [
            ("/a~1b~0c/deep", Some(json!(true)), Some(json!([]))),
            ("/changed", Some(json!("a")), Some(json!("b"))),
            ("/gone", Some(json!(null)), None),
            ("/list/1", Some(json!(2)), Some(json!(5))),
            ("/list/2", Some(json!(3)), None),
            ("/new", None, Some(json!({}))),
        ];
        assert_eq!(changes, expected.map(|(at, old, new)| (at.to_owned(), old, new)));
        assert_eq!(told(&old, &old), []);
        assert_eq!(told(&json!(1), &json!("1")), [(String::new(), Some(json!(1)), Some(json!("1")))]);
    }

    #[test]
    fn long_values_and_many_changes_are_cut_and_counted() {
        let long = json!({ "a": "ü".repeat(10_000) });
        let changes = told(&long, &json!({ "a": vec![7; 10_000] }));
        let (_, Some(Value::String(old)), Some(Value::String(new))) = &changes[0] else {
            panic!("{changes:?}")
        };
        assert!(old.ends_with("ü… (20000 bytes)") && old.chars().count() < 230, "{old}");
        assert!(new.starts_with("[7,7,") && new.len() < 230, "{new}");
        let many: Vec<u32> = (0..1_000).collect();
        let changes = Changes::between(&json!(many), &json!([]));
        assert_eq!((changes.count, changes.changes.len()), (1_000, MOST_CHANGES));
    }
}

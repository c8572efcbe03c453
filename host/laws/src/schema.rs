//! The schema of a formatter's settings: a stranger's, so its size is known before it is used.
//!
//! - JSON Schema 2020-12, of a form's size: followed through all its references it has a limited number of values and
//!   levels. A reference leads to a place in the same schema and never back to where it is from; nothing is fetched.
//! - Patterns are matched in linear time and have a limited size.
//!
//! The sandbox limits the text to 64 KiB.

use std::collections::HashMap;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Values of the schema, each as often as references lead to it.
const MOST_VALUES: u64 = 10_000;
/// Checking what is unevaluated compares each part with each other.
const MOST_VALUES_UNEVALUATED: u64 = 1_000;
/// Levels of JSON, and references followed. The compiler follows them one inside the other.
const MOST_LEVELS: usize = 128;
/// The compiled size of one pattern.
const PATTERN_BYTES: usize = 64 * 1024;
/// What a pattern may keep of the states that it went through.
const PATTERN_CACHE_BYTES: usize = 1024 * 1024;

const ELSEWHERE: [&str; 3] = ["$dynamicRef", "$recursiveRef", "$dynamicAnchor"];
const UNEVALUATED: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];

/// A schema that can be asked.
pub(crate) struct Schema(Validator);

impl Schema {
    /// The error says what is wrong and where.
    pub(crate) fn read(text: &str) -> Result<Schema, String> {
        if text.trim().is_empty() {
            return Err(
                "there is no settings schema; without settings it is {\"type\":\"object\",\"additionalProperties\":false}"
                    .to_owned(),
            );
        }
        let schema: Value = serde_json::from_str(text)
            .map_err(|error| format!("the settings schema is not JSON: {error}"))?;
        let Value::Object(members) = &schema else {
            return Err("the settings schema is not a JSON object".to_owned());
        };
        draft(members)?;
        let mut extent = Extent { root: &schema, known: HashMap::new(), unevaluated: false };
        let (values, _) = extent.of(&schema, 0)?;
        let most = if extent.unevaluated { MOST_VALUES_UNEVALUATED } else { MOST_VALUES };
        if values > most {
            return Err(format!(
                "the settings schema has {values} values once its references are followed, and at most {most} are allowed"
            ));
        }
        build(&schema).map(Schema)
    }

    pub(crate) fn check(&self, settings: &Value) -> Result<(), String> {
        self.0.validate(settings).map_err(|error| {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { "the whole" } else { &place };
            format!("{place}: {error}")
        })
    }
}

fn draft(members: &Map<String, Value>) -> Result<(), String> {
    match members.get("$schema") {
        None => Ok(()),
        Some(Value::String(draft)) if draft.trim_end_matches('#') == DRAFT => Ok(()),
        Some(other) => Err(format!("the settings schema is of {other}, and \"{DRAFT}\" is read")),
    }
}

fn build(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(
            PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_CACHE_BYTES),
        )
        .offline()
        .build(schema)
        .map_err(|error| {
            format!(
                "the settings schema is no JSON Schema 2020-12: at {:?}: {error}",
                error.instance_path().to_string()
            )
        })
}

/// How much a schema is once its references are followed: values, and levels below the one asked for.
struct Extent<'a> {
    root: &'a Value,
    /// By the place in memory. None while it is being counted.
    known: HashMap<*const Value, Option<(u64, usize)>>,
    unevaluated: bool,
}

impl<'a> Extent<'a> {
    fn of(&mut self, value: &'a Value, level: usize) -> Result<(u64, usize), String> {
        let too_deep =
            || format!("the settings schema is more than {MOST_LEVELS} levels deep, references included");
        let place = std::ptr::from_ref(value);
        if let Some(known) = self.known.get(&place) {
            let (values, levels) =
                known.ok_or("the settings schema refers to itself, which no form can show")?;
            return if level + levels > MOST_LEVELS { Err(too_deep()) } else { Ok((values, levels)) };
        }
        if level > MOST_LEVELS {
            return Err(too_deep());
        }
        self.known.insert(place, None);
        let mut extent = (1, 0);
        for inner in self.inside(value)? {
            let (values, levels) = self.of(inner, level + 1)?;
            extent = (values.saturating_add(extent.0), extent.1.max(levels + 1));
        }
        self.known.insert(place, Some(extent));
        Ok(extent)
    }

    fn inside(&mut self, value: &'a Value) -> Result<Vec<&'a Value>, String> {
        let members = match value {
            Value::Array(elements) => return Ok(elements.iter().collect()),
            Value::Object(members) => members,
            _ => return Ok(Vec::new()),
        };
        if let Some(keyword) = ELSEWHERE.iter().find(|keyword| members.contains_key(**keyword)) {
            return Err(format!("the settings schema has `{keyword}`; write `$ref` instead"));
        }
        if members.get("$id").is_some_and(Value::is_string) && !std::ptr::eq(value, self.root) {
            return Err("the settings schema has an `$id` inside; only the whole may have one".to_owned());
        }
        self.unevaluated |= UNEVALUATED.iter().any(|keyword| members.contains_key(*keyword));
        let mut inside: Vec<&Value> = members.values().collect();
        if let Some(Value::String(to)) = members.get("$ref") {
            inside.push(self.target(to)?);
        }
        Ok(inside)
    }

    /// References of other forms are for other documents, or would be read differently by others.
    fn target(&self, to: &str) -> Result<&'a Value, String> {
        let pointer = to.strip_prefix('#').filter(|pointer| !pointer.contains('%'));
        let target = pointer.and_then(|pointer| self.root.pointer(pointer));
        target.ok_or_else(|| {
            format!("the settings schema refers to {to:?}, and only \"#/$defs/NAME\" or another place in it can be referred to")
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(schema: &Value) -> String {
        match Schema::read(&schema.to_string()) {
            Ok(_) => panic!("{schema} was taken"),
            Err(problem) => problem,
        }
    }

    #[test]
    fn a_form_s_schema_is_read_and_asked() {
        let schema = json!({
            "$schema": DRAFT,
            "$id": "https://example.com/settings",
            "type": "object",
            "properties": { "index": { "$ref": "#/$defs/name" }, "other": { "$ref": "#/$defs/name" } },
            "required": ["index"],
            "additionalProperties": false,
            "$defs": { "name": { "type": "string", "pattern": "^[a-z]+$" } },
        });
        let schema = Schema::read(&schema.to_string()).unwrap();
        schema.check(&json!({ "index": "main" })).unwrap();
        assert!(schema.check(&json!({ "index": "Main" })).unwrap_err().starts_with("/index: "));
        assert!(schema.check(&json!({})).unwrap_err().starts_with("the whole: "));
    }

    #[test]
    fn what_is_no_schema_of_this_draft_is_told() {
        for (text, expected) in [
            ("", "there is no settings schema"),
            ("{", "not JSON"),
            ("true", "not a JSON object"),
            (r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, "draft-07"),
            (r#"{"type":"text"}"#, "no JSON Schema 2020-12: at \"/type\""),
            (r#"{"properties":{"a":{"pattern":"(?=a)b"}}}"#, "no JSON Schema 2020-12"),
            (r#"{"properties":{"a":{"pattern":"(a)\\1"}}}"#, "no JSON Schema 2020-12"),
            (r#"{"properties":{"a":{"pattern":"(a{1000}){1000}"}}}"#, "no JSON Schema 2020-12"),
        ] {
            let problem = Schema::read(text).err().unwrap_or_else(|| panic!("{text} was taken"));
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }

    #[test]
    fn references_lead_to_the_same_schema_and_never_back() {
        for (schema, expected) in [
            (json!({ "$ref": "https://example.com/schema" }), "refers to \"https://example.com/schema\""),
            (json!({ "$ref": "file:///etc/passwd" }), "refers to"),
            (json!({ "$ref": "#/$defs/none" }), "refers to \"#/$defs/none\""),
            (json!({ "$ref": "#/%24defs/a", "$defs": { "a": {} } }), "refers to"),
            (json!({ "properties": { "a": { "$ref": "#" } } }), "refers to itself"),
            (json!({ "$defs": { "a": { "items": { "$ref": "#/$defs/a" } } } }), "refers to itself"),
            (json!({ "$dynamicRef": "#a" }), "$dynamicRef"),
            (json!({ "properties": { "a": { "$id": "b", "type": "string" } } }), "`$id` inside"),
        ] {
            let problem = refused(&schema);
            assert!(problem.contains(expected), "{schema}: {problem}");
        }
    }

    /// Each definition asks for the one before it twice: 2^40 questions in 3 KiB.
    #[test]
    fn a_schema_that_multiplies_is_refused_before_it_is_compiled() {
        let mut definitions = json!({ "d0": { "type": "object" } });
        for number in 1..=40 {
            let before = json!({ "$ref": format!("#/$defs/d{}", number - 1) });
            definitions[format!("d{number}")] = json!({ "allOf": [before, before] });
        }
        let problem = refused(&json!({ "$ref": "#/$defs/d40", "$defs": definitions }));
        assert!(problem.contains("once its references are followed"), "{problem}");
    }

    #[test]
    fn a_chain_of_references_and_deep_nesting_are_refused_before_they_are_compiled() {
        let mut definitions = json!({ "d0": {} });
        for number in 1..=1000 {
            definitions[format!("d{number}")] = json!({ "$ref": format!("#/$defs/d{}", number - 1) });
        }
        let problem = refused(&json!({ "$ref": "#/$defs/d1000", "$defs": definitions }));
        assert!(problem.contains("levels deep"), "{problem}");
        let deep = format!("{}{{}}{}", r#"{"not":"#.repeat(10_000), "}".repeat(10_000));
        assert!(Schema::read(&deep).is_err());
        // The deepest that is taken does not exhaust the stack of a thread.
        let deepest = format!("{}{{}}{}", r#"{"not":"#.repeat(120), "}".repeat(120));
        Schema::read(&deepest).unwrap().check(&json!({})).unwrap_or_default();
    }
}

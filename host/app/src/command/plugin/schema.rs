//! A settings schema as rows that people can read: one for each setting, those within others too.
//!
//! A schema is a plugin's: at most 64 KiB, and what it says is shown, never followed without end. What is not understood
//! is left to the schema itself, which `inspect --json` prints whole.

#![allow(clippy::indexing_slicing, reason = "what is missing in a JSON value reads as null")]

use serde_json::Value;

/// Rows that are shown of a schema.
const MOST_SETTINGS: usize = 200;
/// How deep settings within settings are shown. A schema may refer to itself.
const DEEPEST: usize = 6;
/// References that lead to references.
const MOST_HOPS: usize = 8;
/// Values of an enumeration that are shown.
const MOST_VALUES: usize = 12;

/// One setting.
#[derive(Debug, PartialEq)]
pub(crate) struct Setting {
    /// `index`, `fields.user` in an object, `routes[].index` in each object of an array, `names.*` in one with any names.
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) required: bool,
    pub(crate) default: Option<Value>,
    pub(crate) summary: String,
}

/// All settings in the order of the schema, each before those within it.
pub(crate) fn settings(schema: &Value) -> Vec<Setting> {
    let mut settings = Settings { schema, rows: Vec::new() };
    settings.within("", resolved(schema, schema), 0);
    settings.rows
}

struct Settings<'a> {
    schema: &'a Value,
    rows: Vec<Setting>,
}

impl<'a> Settings<'a> {
    /// The settings of an object; of each object where `object` is an array of them.
    fn within(&mut self, prefix: &str, object: &'a Value, depth: usize) {
        if depth >= DEEPEST {
            return;
        }
        for (name, property) in object["properties"].as_object().into_iter().flatten() {
            if self.rows.len() >= MOST_SETTINGS {
                return;
            }
            let required = object["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
            let name = format!("{prefix}{name}");
            let meant = resolved(self.schema, property);
            self.rows.push(Setting {
                kind: kind(self.schema, meant),
                required,
                default: [property, meant].iter().find_map(|at| at.get("default")).cloned(),
                summary: [property, meant]
                    .iter()
                    .find_map(|at| at["description"].as_str())
                    .map(on_one_line)
                    .unwrap_or_default(),
                name: name.clone(),
            });
            self.within(&format!("{name}."), meant, depth + 1);
            let items = resolved(self.schema, &meant["items"]);
            self.within(&format!("{name}[]."), items, depth + 1);
            let any = resolved(self.schema, &meant["additionalProperties"]);
            self.within(&format!("{name}.*."), any, depth + 1);
        }
    }
}

/// What a schema stands for: references followed, and `null` left out of what may be left out.
fn resolved<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    for _ in 0..MOST_HOPS {
        let reference = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        schema = match (reference, only_choice(schema)) {
            (Some(pointer), _) => root.pointer(pointer).unwrap_or(&Value::Null),
            (None, Some(choice)) => choice,
            (None, None) => break,
        };
    }
    schema
}

/// The one alternative that is not `null`, where there is but one.
fn only_choice(schema: &Value) -> Option<&Value> {
    let alternatives = ["anyOf", "oneOf", "allOf"].iter().find_map(|member| schema[member].as_array())?;
    let mut chosen = alternatives.iter().filter(|choice| choice["type"] != "null");
    chosen.next().filter(|_| chosen.next().is_none())
}

fn kind(root: &Value, schema: &Value) -> String {
    if let Some(values) = values(schema) {
        let mut shown: Vec<String> = values.iter().take(MOST_VALUES).map(|value| value.to_string()).collect();
        if values.len() > MOST_VALUES {
            shown.push(format!("{} more", values.len() - MOST_VALUES));
        }
        return shown.join(" or ");
    }
    if let Some(alternatives) = ["anyOf", "oneOf"].iter().find_map(|member| schema[member].as_array()) {
        let mut kinds: Vec<String> = Vec::new();
        for kind in
            alternatives.iter().take(MOST_VALUES).map(|choice| plain_kind(root, resolved(root, choice)))
        {
            if !kinds.contains(&kind) && kind != "null" {
                kinds.push(kind);
            }
        }
        return kinds.join(" or ");
    }
    plain_kind(root, schema)
}

/// The values of an enumeration, however it is written: at once, or each with words of its own.
fn values(schema: &Value) -> Option<Vec<&Value>> {
    if let Some(values) = own_values(schema) {
        return Some(values);
    }
    let choices = schema["oneOf"].as_array().filter(|choices| !choices.is_empty())?;
    let each: Option<Vec<Vec<&Value>>> = choices.iter().map(own_values).collect();
    Some(each?.concat())
}

fn own_values(schema: &Value) -> Option<Vec<&Value>> {
    match (schema.get("const"), schema["enum"].as_array()) {
        (Some(value), _) => Some(vec![value]),
        (None, Some(values)) => Some(values.iter().filter(|value| !value.is_null()).collect()),
        (None, None) => None,
    }
}

fn plain_kind(root: &Value, schema: &Value) -> String {
    let named = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            kinds.collect::<Vec<_>>().join(" or ")
        }
        _ if schema["properties"].is_object() => "object".to_owned(),
        _ => "any".to_owned(),
    };
    let of = |member: &str| {
        let inner = resolved(root, &schema[member]);
        // One level is enough to read; what is further in has rows of its own.
        inner.is_object().then(|| values(inner).map_or_else(|| simple(inner), |_| kind(root, inner)))
    };
    match named.as_str() {
        "array" => of("items").map_or(named, |of| format!("array of {of}")),
        "object" => of("additionalProperties").map_or(named, |of| format!("object of {of}")),
        "integer" | "number" => format!("{named}{}", range(schema)),
        "string" => match schema["maxLength"].as_u64() {
            Some(most) => format!("string, at most {most}"),
            None => named,
        },
        _ => named,
    }
}

fn simple(schema: &Value) -> String {
    schema["type"].as_str().unwrap_or("any").to_owned()
}

fn range(schema: &Value) -> String {
    match (&schema["minimum"], &schema["maximum"]) {
        (Value::Number(least), Value::Number(most)) => format!(", {least} to {most}"),
        (Value::Number(least), _) => format!(", at least {least}"),
        (_, Value::Number(most)) => format!(", at most {most}"),
        _ => String::new(),
    }
}

/// The first paragraph.
fn on_one_line(text: &str) -> String {
    text.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(schema: &Value) -> Vec<(String, String)> {
        settings(schema).into_iter().map(|setting| (setting.name, setting.kind)).collect()
    }

    fn row(name: &str, kind: &str) -> (String, String) {
        (name.to_owned(), kind.to_owned())
    }

    #[test]
    fn settings_within_settings_have_rows_of_their_own() {
        let schema = json!({
            "properties": {
                "fields": { "$ref": "#/$defs/Fields", "description": "Where things\n are.\n\nAnd more." },
                "routes": { "type": "array", "items": { "$ref": "#/$defs/Route" } },
                "names": { "type": "object", "additionalProperties": { "type": "string" } },
            },
            "required": ["routes"],
            "$defs": {
                "Fields": { "type": "object", "properties": { "user": { "type": ["string", "null"], "default": null } } },
                "Route": { "type": "object", "required": ["index"], "properties": { "index": { "type": "string" } } },
            },
        });
        let expected = [
            row("fields", "object"),
            row("fields.user", "string"),
            row("names", "object of string"),
            row("routes", "array of object"),
            row("routes[].index", "string"),
        ];
        let mut found = rows(&schema);
        found.sort();
        assert_eq!(found, expected);
        let all = settings(&schema);
        let named = |name: &str| all.iter().find(|setting| setting.name == name).unwrap();
        assert_eq!(named("fields").summary, "Where things are.");
        assert_eq!(named("fields.user").default, Some(Value::Null));
        assert!(named("routes").required && named("routes[].index").required && !named("fields").required);
    }

    #[test]
    fn kinds_are_told_as_they_are_written_in_settings() {
        let schema = json!({
            "properties": {
                "a": { "enum": ["x", "y", null] },
                "b": { "oneOf": [{ "enum": ["v1", "v2"] }, { "const": "v3", "description": "new" }] },
                "c": { "anyOf": [{ "$ref": "#/$defs/C" }, { "type": "null" }] },
                "d": { "anyOf": [{ "type": "string" }, { "type": "integer" }, { "type": "null" }] },
                "e": { "type": "integer", "minimum": 1, "maximum": 10 },
                "f": { "type": "array", "items": { "enum": ["x", "y"] } },
                "g": true,
                "h": { "type": "string", "maxLength": 5 },
            },
            "$defs": { "C": { "type": "number", "minimum": 0.5 } },
        });
        let expected = [
            row("a", r#""x" or "y""#),
            row("b", r#""v1" or "v2" or "v3""#),
            row("c", "number, at least 0.5"),
            row("d", "string or integer"),
            row("e", "integer, 1 to 10"),
            row("f", r#"array of "x" or "y""#),
            row("g", "any"),
            row("h", "string, at most 5"),
        ];
        let mut found = rows(&schema);
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_schema_without_end_has_rows_with_an_end() {
        let twins = json!({ "$ref": "#" });
        let endless =
            json!({ "type": "object", "properties": { "a": twins, "b": twins, "c": twins, "d": twins } });
        assert_eq!(settings(&endless).len(), MOST_SETTINGS);
        let itself = json!({ "$ref": "#" });
        assert_eq!(settings(&itself), []);
        let deep = json!({ "properties": { "a": { "$ref": "#" } } });
        assert_eq!(settings(&deep).len(), DEEPEST);
        for nonsense in
            [json!(null), json!([1]), json!({ "properties": [] }), json!({ "properties": { "a": 7 } })]
        {
            assert!(settings(&nonsense).len() <= 1);
        }
    }
}

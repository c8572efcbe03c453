//! Typed settings: from the operator's JSON to the formatter's own type, and from that type to a JSON Schema.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::SettingProblem;

/// Reads settings. A problem points at the member that caused it.
pub fn parse<T: DeserializeOwned>(settings: &str) -> Result<T, SettingProblem> {
    let mut deserializer = serde_json::Deserializer::from_str(settings);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        SettingProblem { pointer, message: without_position(&error.into_inner()) }
    })?;
    match deserializer.end() {
        Ok(()) => Ok(parsed),
        Err(error) => Err(SettingProblem { pointer: String::new(), message: error.to_string() }),
    }
}

/// The JSON Schema (2020-12) of a settings type.
pub fn schema<T: JsonSchema>() -> String {
    schemars::schema_for!(T).as_value().to_string()
}

impl SettingProblem {
    /// `pointer` is a JSON Pointer into the settings: `/index`.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> SettingProblem {
        SettingProblem { pointer: pointer.into(), message: message.into() }
    }
}

/// RFC 6901: `~` and `/` in a name are escaped.
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let token = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => break,
        };
        pointer.push('/');
        pointer.push_str(&token);
    }
    pointer
}

/// The host passes settings on one line: line and column would only confuse beside the pointer. Broken JSON is the
/// exception, and has no pointer.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if !error.is_data() {
        return text;
    }
    match text.rfind(" at line ") {
        Some(at) => text.get(..at).unwrap_or(&text).to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where it goes.
    #[derive(Debug, Default, serde::Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Settings {
        /// The index to write to.
        index: Option<String>,
        fields: std::collections::BTreeMap<String, u8>,
    }

    fn problem(settings: &str) -> (String, String) {
        let problem = parse::<Settings>(settings).unwrap_err();
        (problem.pointer, problem.message)
    }

    #[test]
    fn a_problem_points_at_the_member_that_caused_it() {
        let (pointer, message) = problem(r#"{"index": 7}"#);
        assert_eq!(pointer, "/index");
        assert_eq!(message, "invalid type: integer `7`, expected a string");
        assert_eq!(problem(r#"{"fields": {"a/b~c": "x"}}"#).0, "/fields/a~1b~0c");
        let (pointer, message) = problem(r#"{"indx": "main"}"#);
        assert_eq!(pointer, "/indx");
        assert!(message.starts_with("unknown field `indx`"), "{message}");
    }

    #[test]
    fn settings_that_are_not_one_json_object_are_refused_as_a_whole() {
        for settings in ["", "[", "7", "{} {}", "{\"index\":\"a\"", "null"] {
            assert_eq!(problem(settings).0, "", "{settings}");
        }
    }

    #[test]
    fn the_schema_carries_the_doc_comments_and_refuses_unknown_members() {
        let schema: serde_json::Value = serde_json::from_str(&schema::<Settings>()).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["description"], "Where it goes.");
        assert_eq!(schema["properties"]["index"]["description"], "The index to write to.");
        assert_eq!(schema["additionalProperties"], false);
    }
}

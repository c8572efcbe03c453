//! Typed settings: from the operator's JSON to the formatter's own type, and from that type to a JSON Schema.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::SettingProblem;

/// Reads settings. A problem points at the member that caused it.
pub fn parse<T: DeserializeOwned>(settings: &str) -> Result<T, SettingProblem> {
    // Serde would take a list for a struct, its items for the members in their order.
    if !settings.trim_start().starts_with('{') {
        return Err(SettingProblem::at([], "settings have to be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(settings);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let mut pointer = pointer(error.path());
        let message = without_position(&error.into_inner());
        if let Some(name) = missing_field(&message) {
            push_token(&mut pointer, name);
        }
        SettingProblem { pointer, message }
    })?;
    match deserializer.end() {
        Ok(()) => Ok(parsed),
        Err(error) => Err(SettingProblem::at([], error.to_string())),
    }
}

/// The JSON Schema (2020-12) of a settings type.
pub fn schema<T: JsonSchema>() -> String {
    schemars::schema_for!(T).as_value().to_string()
}

impl SettingProblem {
    /// `path` leads to the member: `["fields", name]`. Empty: the settings as a whole.
    pub fn at<const N: usize>(path: [&str; N], message: impl Into<String>) -> SettingProblem {
        let mut pointer = String::new();
        path.into_iter().for_each(|token| push_token(&mut pointer, token));
        SettingProblem { pointer, message: message.into() }
    }

    /// Unless the member `name` is a path to append to the endpoint.
    pub fn unless_path(name: &str, path: &str) -> Option<SettingProblem> {
        (!path.starts_with('/')).then(|| {
            let message = format!("{path:?} does not begin with /: write / to add nothing to the endpoint");
            SettingProblem::at([name], message)
        })
    }

    /// Unless the member `name` is in the range.
    pub fn unless_in(range: RangeInclusive<u32>, name: &str, value: u32) -> Option<SettingProblem> {
        (!range.contains(&value)).then(|| {
            let message = format!("{value} is not between {} and {}", range.start(), range.end());
            SettingProblem::at([name], message)
        })
    }
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push_token(&mut pointer, &index.to_string()),
            Segment::Map { key } => push_token(&mut pointer, key),
            // The variants of a settings type are chosen by their content, which is where the pointer leads.
            Segment::Enum { .. } => {}
            Segment::Unknown => break,
        }
    }
    pointer
}

/// RFC 6901: `~` and `/` in a name are escaped.
fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
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

/// Serde reports a missing member at the object around it; a form wants to show it at the member's own place.
fn missing_field(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
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

    #[derive(Debug, serde::Deserialize)]
    struct Required {
        #[expect(dead_code, reason = "only its absence is looked at")]
        stream: String,
    }

    #[test]
    fn a_missing_member_is_reported_where_it_belongs() {
        let problem = parse::<Required>("{}").unwrap_err();
        assert_eq!(problem, SettingProblem::at(["stream"], "missing field `stream`"));
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
    fn paths_and_ranges_are_checked_at_their_own_place() {
        assert_eq!(SettingProblem::unless_path("path", "/"), None);
        let problem = SettingProblem::unless_path("path", "in").unwrap();
        assert_eq!(problem.pointer, "/path");
        assert!(problem.message.starts_with("\"in\" does not begin with /"), "{}", problem.message);
        assert_eq!(SettingProblem::unless_in(1..=9, "most", 9), None);
        let expected = SettingProblem::at(["most"], "10 is not between 1 and 9");
        assert_eq!(SettingProblem::unless_in(1..=9, "most", 10), Some(expected));
    }

    #[test]
    fn settings_that_are_not_one_json_object_are_refused_as_a_whole() {
        for settings in ["", "[", "[]", "7", "{} {}", "{\"index\":\"a\"", "null"] {
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

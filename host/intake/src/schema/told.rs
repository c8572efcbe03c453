//! What producers and operators read: where, and what is expected there. Never a value of the event; of its member names
//! what it takes to find the place. All of it is bounded.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ReferencingError, ValidationError};
use serde_json::Value;

use super::{PATTERN_BYTES, SchemaError};

const PLACE_CHARACTERS: usize = 160;
const EXPECTED_CHARACTERS: usize = 200;
/// Of one name.
const NAME_CHARACTERS: usize = 60;
const NAMES: usize = 3;

/// `/user/age: the value is not of type "integer"`
pub(super) fn text(error: &ValidationError<'_>) -> String {
    let place = match error.instance_path().as_str() {
        "" => "the event".to_owned(),
        place => short(place, PLACE_CHARACTERS),
    };
    format!("{place}: {}", expected(error))
}

fn expected(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected_names(unexpected),
        // Its own text has the name, which is a value here.
        ValidationErrorKind::PropertyNames { .. } => {
            "the name of a member does not fit `propertyNames` of the schema".to_owned()
        }
        ValidationErrorKind::Not { schema } if closed(schema, "anyOf") => {
            "the value fits none of the alternatives that the schema has in `anyOf`".to_owned()
        }
        ValidationErrorKind::Not { schema } if closed(schema, "oneOf") => {
            "the value does not fit exactly one of the alternatives that the schema has in `oneOf`".to_owned()
        }
        ValidationErrorKind::Not { .. } => "the value fits what the schema has in `not`".to_owned(),
        ValidationErrorKind::FalseSchema => "the schema allows no value here".to_owned(),
        _ => short(&error.masked_with("the value").to_string(), EXPECTED_CHARACTERS),
    }
}

fn unexpected_names(names: &[String]) -> String {
    let shown: Vec<String> =
        names.iter().take(NAMES).map(|name| format!("`{}`", short(name, NAME_CHARACTERS))).collect();
    let more = names.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the schema does not allow the member {}{more}", shown.join(", "))
}

/// What [`super::charged`] makes of alternatives.
fn closed(schema: &Value, keyword: &str) -> bool {
    schema.get("not").is_some_and(|inner| inner.get(keyword).is_some())
}

/// The walk over the text takes what a parsed value cannot hold: half a surrogate pair, a number without bounds.
pub(super) fn unreadable(error: &serde_json::Error) -> String {
    short(&error.to_string(), EXPECTED_CHARACTERS)
}

pub(super) fn invalid(error: &ValidationError<'_>) -> SchemaError {
    if let ValidationErrorKind::Referencing(problem) = error.kind() {
        let to = match problem {
            ReferencingError::Unretrievable { uri, .. } => uri,
            ReferencingError::PointerToNowhere { pointer } => pointer,
            ReferencingError::NoSuchAnchor { anchor } => anchor,
            other => return SchemaError::Reference(short(&other.to_string(), EXPECTED_CHARACTERS)),
        };
        return SchemaError::Reference(format!("`{}`", short(to, PLACE_CHARACTERS)));
    }
    let place = match error.instance_path().as_str() {
        "" => "/".to_owned(),
        place => short(place, PLACE_CHARACTERS),
    };
    let problem = match error.kind() {
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            format!("{} is not what JSON Schema takes here", error.instance())
        }
        ValidationErrorKind::Format { format } if format == "regex" => {
            let pattern = short(&error.instance().to_string(), NAME_CHARACTERS);
            format!("the pattern {pattern} cannot be read, or takes more than {PATTERN_BYTES} bytes compiled")
        }
        _ => error.to_string(),
    };
    SchemaError::Invalid { place, problem: short(&problem, EXPECTED_CHARACTERS) }
}

fn short(text: &str, characters: usize) -> String {
    let line: String = text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    match line.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

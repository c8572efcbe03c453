//! What is asked of one document before its fields are looked at.

use serde_json::Value;

use crate::strict_json::{self, Parsed};
use crate::timestamp::iso_ms;

/// Why one document is not stored; the others of its request are.
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) reason: String,
}

impl Refused {
    pub(super) fn illegal_argument(reason: impl Into<String>) -> Refused {
        Refused { status: 400, kind: "illegal_argument_exception", reason: reason.into() }
    }

    pub(super) fn parsing(reason: impl Into<String>) -> Refused {
        Refused { status: 400, kind: "document_parsing_exception", reason: reason.into() }
    }
}

pub(super) fn check_index_name(name: &str) -> Result<(), Refused> {
    let reason = if name.chars().any(char::is_uppercase) {
        "must be lowercase"
    } else if name.starts_with(['_', '-', '+']) {
        "must not start with '_', '-', or '+'"
    } else if name.contains([' ', '"', '*', '\\', '<', '|', ',', '>', '/', '?', '#', ':']) {
        "must not contain the following characters [' ','\"','*','\\\\','<','|',',','>','/','?']"
    } else {
        return Ok(());
    };
    let reason = format!("Invalid index name [{name}], {reason}");
    Err(Refused { status: 400, kind: "invalid_index_name_exception", reason })
}

/// Elasticsearch reads no object in which a key comes twice.
pub(super) fn read(source: &str) -> Result<Value, Refused> {
    let Parsed { value, repeated_keys } =
        strict_json::parse(source).map_err(|error| Refused::parsing(format!("failed to parse: {error}")))?;
    if let Some(key) = repeated_keys.first() {
        return Err(Refused::parsing(format!("failed to parse: Duplicate field '{key}'")));
    }
    if !value.is_object() {
        return Err(Refused::parsing("failed to parse: not an object"));
    }
    Ok(value)
}

pub(super) fn check_timestamp(document: &Value, required: bool) -> Result<(), Refused> {
    match document.get("@timestamp") {
        None if required => Err(Refused::parsing("data stream timestamp field [@timestamp] is missing")),
        None => Ok(()),
        Some(time) if time.as_str().is_some_and(|text| iso_ms(text).is_some()) || time.as_i64().is_some() => {
            Ok(())
        }
        Some(time) => {
            Err(Refused::parsing(format!("failed to parse field [@timestamp] of type [date]: {time}")))
        }
    }
}

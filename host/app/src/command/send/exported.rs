//! Lines that `export` and `dead-letters export` have written: the event in them is sent, what stands beside it is not.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// How such a line begins. Looked at first, so that ordinary events are not parsed here.
const BEGINNING: &str = "{\"siemaphore\":{";

#[derive(Deserialize)]
struct Exported<'a> {
    #[serde(rename = "siemaphore")]
    _envelope: IgnoredAny,
    #[serde(borrow)]
    event: &'a RawValue,
}

/// The event of an exported line; any other line as it is.
pub(crate) fn event_of(line: &str) -> &str {
    if !line.starts_with(BEGINNING) {
        return line;
    }
    serde_json::from_str::<Exported<'_>>(line).map_or(line, |exported| exported.event.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_event_of_an_exported_line_is_sent() {
        let line = r#"{"siemaphore":{"event_key":"0a"},"event":{"a": 1},"dead_letter":{"id":1}}"#;
        assert_eq!(event_of(line), r#"{"a": 1}"#);
        for other in [r#"{"a":{"event":{}}}"#, r#"{"siemaphore":{"#, r#"{"siemaphore":{}}"#, "{}"] {
            assert_eq!(event_of(other), other);
        }
    }
}

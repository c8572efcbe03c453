//! Lines that `export` and `dead-letters export` have written: an event, and beside it what the host knows of it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// How such a line begins. Looked at first, so that ordinary events are not parsed here.
const BEGINNING: &str = "{\"siemaphore\":{";

/// A line of an export, or any other line, which is all event.
pub(crate) struct Recorded<'a> {
    pub(crate) event: &'a str,
    pub(crate) envelope: Option<Envelope<'a>>,
}

/// What an export says of its event that the event itself may not.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    pub(crate) organization: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) source: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) producer: Cow<'a, str>,
    pub(crate) received_ms: u64,
}

#[derive(Deserialize)]
struct Exported<'a> {
    #[serde(borrow)]
    siemaphore: &'a RawValue,
    #[serde(borrow)]
    event: &'a RawValue,
}

impl<'a> Recorded<'a> {
    pub(crate) fn of(line: &'a str) -> Recorded<'a> {
        let exported = line.starts_with(BEGINNING).then(|| serde_json::from_str::<Exported<'_>>(line).ok());
        match exported.flatten() {
            None => Recorded { event: line, envelope: None },
            Some(Exported { siemaphore, event }) => {
                Recorded { event: event.get(), envelope: serde_json::from_str(siemaphore.get()).ok() }
            }
        }
    }
}

/// The event of an exported line; any other line as it is.
pub(crate) fn event_of(line: &str) -> &str {
    Recorded::of(line).event
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

    #[test]
    fn an_exported_line_tells_where_its_event_came_from() {
        let line = r#"{"siemaphore":{"event_key":"0a","received_ms":7,"organization":"a\"c","source":"s","producer":"p"},"event":{}}"#;
        let Envelope { organization, source, producer, received_ms } = Recorded::of(line).envelope.unwrap();
        assert_eq!((&*organization, &*source, &*producer, received_ms), ("a\"c", "s", "p", 7));
        assert!(Recorded::of(r#"{"siemaphore":{"event_key":"0a"},"event":{}}"#).envelope.is_none());
        assert!(Recorded::of("{}").envelope.is_none());
    }
}

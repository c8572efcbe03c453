//! One stream with one line per event. Loki joins streams whose labels are the same.

use siemaphore_sdk::facts::Facts;
use siemaphore_sdk::json::{Object, Outline, cut};
use siemaphore_sdk::{Event, Writer};

use crate::settings::{LONGEST_VALUE, Settings};

/// Long enough for what one searches by; Loki takes 64 KB of metadata in all.
const LONGEST_METADATA: usize = 1_024;

/// What all records share.
#[derive(Debug)]
pub(crate) struct Template {
    settings: Settings,
    /// The fixed labels, written already.
    labels: String,
}

impl Template {
    pub(crate) fn new(settings: Settings) -> Template {
        let mut labels = Writer::default();
        for (place, (name, value)) in settings.labels.iter().enumerate() {
            labels.raw(if place > 0 { "," } else { "" });
            labels.string(name);
            labels.raw(":");
            labels.string(value);
        }
        let labels = String::from_utf8_lossy(&labels.into_bytes()).into_owned();
        Template { settings, labels }
    }

    pub(crate) fn write(&self, event: &Event, record: &mut Writer) {
        let mut stream = record.object();
        self.write_labels(event, stream.object("stream"));
        let values = stream.plain_key("values");
        values.raw("[[\"");
        // A number would be refused: it cannot hold nanoseconds.
        values.unsigned(event.timestamp_ns);
        values.raw("\",");
        values.string(&event.document);
        if self.settings.structured_metadata {
            values.raw(",");
            self.write_metadata(event, values.object());
        }
        values.raw("]]");
    }

    fn write_labels(&self, event: &Event, mut labels: Object<'_>) {
        labels.members(&self.labels);
        for label in &self.settings.event_labels {
            // Loki drops a label without a value.
            if let Some(value) = label.value(event).filter(|value| !value.is_empty()) {
                let end = value.floor_char_boundary(LONGEST_VALUE);
                labels.plain_key(label.name()).string(value.get(..end).unwrap_or(value));
            }
        }
    }

    /// Texts only, and nothing nested.
    fn write_metadata(&self, event: &Event, mut metadata: Object<'_>) {
        let envelope = [
            ("event_key", Some(event.key.as_str())),
            ("event_id", Some(&event.id)),
            ("event_type", Some(&event.event_type)),
            ("severity", Some(event.severity.as_str())),
            ("producer", Some(&event.producer)),
            ("source", Some(&event.source)),
            ("organization", Some(&event.organization)),
            ("project", event.project.as_deref()),
        ];
        for (name, value) in envelope {
            let is_label = self.settings.event_labels.iter().any(|label| label.name() == name)
                || self.settings.labels.contains_key(name);
            if let Some(value) = value.filter(|value| !is_label && !value.is_empty()) {
                write_text(&mut metadata, name, value);
            }
        }
        let outline = Outline::new(&event.document);
        for (name, value) in Facts::new(event, &outline, &self.settings.fields).known() {
            if self.settings.labels.contains_key(name) {
                continue;
            }
            if value.starts_with('"') {
                metadata.plain_key(name).raw(&cut(&value, LONGEST_METADATA));
            } else {
                write_text(&mut metadata, name, &value);
            }
        }
    }
}

fn write_text(metadata: &mut Object<'_>, name: &str, value: &str) {
    let mut quoted = Writer::default();
    quoted.string(value);
    let quoted = quoted.into_bytes();
    metadata.plain_key(name).raw(&cut(&String::from_utf8_lossy(&quoted), LONGEST_METADATA));
}

//! One JSON object per event.

use siemaphore_sdk::facts::FactPlaces;
use siemaphore_sdk::{Event, Writer};

use crate::template::Template;

/// What all records share.
#[derive(Debug)]
pub(crate) enum Layout {
    Envelope,
    Document,
    Template(Box<(Template, FactPlaces)>),
}

impl Layout {
    pub(crate) fn write(&self, event: &Event, record: &mut Writer) {
        match self {
            Layout::Envelope => write_envelope(event, record),
            Layout::Document => record.raw(&event.document),
            Layout::Template(own) => own.0.write(event, &own.1, record),
        }
    }
}

fn write_envelope(event: &Event, record: &mut Writer) {
    let mut object = record.object();
    object.string("key", &event.key);
    if !event.id.is_empty() {
        object.string("id", &event.id);
    }
    object.string("event_type", &event.event_type);
    object.string("timestamp", &event.timestamp);
    object.string("severity", event.severity.as_str());
    object.string("source", &event.source);
    object.string("producer", &event.producer);
    object.string("organization", &event.organization);
    if let Some(project) = &event.project {
        object.string("project", project);
    }
    object.raw("document", &event.document);
}

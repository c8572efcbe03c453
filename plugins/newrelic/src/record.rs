//! One log per event.

use std::borrow::Cow;

use siemaphore_sdk::facts::Facts;
use siemaphore_sdk::json::scan::{self, Member};
use siemaphore_sdk::json::{Outline, cut};
use siemaphore_sdk::{Event, Writer};

use crate::attributes::Attributes;
use crate::settings::Settings;

/// As long as a message may be before New Relic cuts it.
const LONGEST_MESSAGE_BYTES: usize = 127_000;

pub(crate) fn write(event: &Event, settings: &Settings, record: &mut Writer) {
    let outline = Outline::new(&event.document);
    let mut log = record.object();
    // Seconds would do as well, but lose what orders events within one.
    log.plain_key("timestamp").unsigned(event.timestamp_ns / 1_000_000);
    let message = documents_message(&outline);
    match message {
        Some(message) => log.plain_key("message").raw(&cut(message, LONGEST_MESSAGE_BYTES)),
        None => log.plain_key("message").string(&event.event_type),
    }
    let mut attributes = Attributes::new(log.object("attributes"), settings.attributes.len());
    write_envelope(event, settings, &mut attributes);
    for (name, value) in Facts::new(event, &outline, &settings.fields).known() {
        attributes.fact(name, &value);
    }
    let mut path = String::with_capacity(64);
    for member in outline.members() {
        if !repeats_the_envelope(member, event, message) {
            attributes.member(&mut path, &member.key(), member.value);
        }
    }
    attributes.finish();
}

fn write_envelope(event: &Event, settings: &Settings, attributes: &mut Attributes<'_>) {
    let logtype = match &settings.logtype {
        Some(logtype) => Cow::Borrowed(logtype.as_str()),
        None => Cow::Owned(format!("{}.security", event.producer)),
    };
    let service = settings.service.as_deref().or(event.project.as_deref()).unwrap_or(&event.producer);
    attributes.own("logtype", &logtype);
    attributes.own("service.name", service);
    attributes.own("level", event.severity.pick(["info", "info", "warn", "error", "critical"]));
    attributes.own("severity", event.severity.as_str());
    attributes.own("event_type", &event.event_type);
    attributes.own("event_key", &event.key);
    attributes.own("siemaphore.source", &event.source);
    attributes.own("siemaphore.producer", &event.producer);
    attributes.own("siemaphore.organization", &event.organization);
    if let Some(project) = &event.project {
        attributes.own("siemaphore.project", project);
    }
}

/// The document's own words, unless New Relic would take them for JSON and make attributes of them.
fn documents_message<'a>(outline: &Outline<'a>) -> Option<&'a str> {
    let message = outline.get("message")?;
    let text = scan::text(message)?;
    let text = text.trim_start();
    (!text.is_empty() && !text.starts_with(['{', '['])).then_some(message)
}

fn repeats_the_envelope(member: &Member<'_>, event: &Event, message: Option<&str>) -> bool {
    let Some(text) = scan::text(member.value) else { return false };
    match &*member.key() {
        "message" => message.is_some(),
        "timestamp" => text == event.timestamp,
        "severity" => text == event.severity.as_str(),
        "event_type" => text == event.event_type,
        "event_key" => text == event.key,
        _ => false,
    }
}

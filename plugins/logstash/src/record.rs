//! One event of Logstash per event.

use siemaphore_sdk::facts::Facts;
use siemaphore_sdk::json::scan::{self, Member};
use siemaphore_sdk::json::{Object, Outline, cut, write_beside};
use siemaphore_sdk::{Event, Writer};

use crate::settings::Settings;

/// Facts repeat what the document says, so the beginning of a long one is enough.
const LONGEST_FACT: usize = 4_096;

pub(crate) fn write(event: &Event, settings: &Settings, record: &mut Writer) {
    let outline = Outline::new(&event.document);
    let tags = tags(settings, &outline);
    let mut object = record.object();
    // Logstash would take the time of arrival.
    object.plain_key("@timestamp").string(&event.timestamp);
    object.plain_key("event_key").string(&event.key);
    object.plain_key("event_type").string(&event.event_type);
    object.plain_key("severity").string(event.severity.as_str());
    if let Some(tags) = &tags {
        object.plain_key("tags").raw(tags);
    }
    write_known(event, settings, &outline, &mut object);
    write_beside(&mut object, &outline, usize::MAX, is_taken, |key, member| {
        (key == "tags" && is_tags(member.value)) || repeats_the_envelope(key, member, event)
    });
}

/// What is asked of events of every producer, under one name each.
fn write_known(event: &Event, settings: &Settings, outline: &Outline<'_>, object: &mut Object<'_>) {
    let mut known = object.object("siemaphore");
    known.plain_key("source").string(&event.source);
    known.plain_key("producer").string(&event.producer);
    known.plain_key("organization").string(&event.organization);
    if let Some(project) = &event.project {
        known.plain_key("project").string(project);
    }
    for (name, value) in Facts::new(event, outline, &settings.fields).known() {
        known.plain_key(name).raw(&cut(&value, LONGEST_FACT));
    }
}

/// The operator's tags and the document's. Logstash drops an event's tags when they are anything but texts.
fn tags(settings: &Settings, outline: &Outline<'_>) -> Option<String> {
    let of_document = outline.get("tags").filter(|value| is_tags(value));
    let mut tags = Writer::default();
    for tag in &settings.tags {
        tags.raw(if tags.is_empty() { "" } else { "," });
        tags.string(tag);
    }
    let items = of_document.map(|value| value.trim_start_matches('[').trim_end_matches(']').trim());
    if let Some(items) = items.filter(|items| !items.is_empty()) {
        tags.raw(if tags.is_empty() { "" } else { "," });
        tags.raw(items);
    }
    let tags = String::from_utf8_lossy(&tags.into_bytes()).into_owned();
    (!tags.is_empty()).then(|| format!("[{tags}]"))
}

/// A text, or a list of texts.
fn is_tags(value: &str) -> bool {
    value.starts_with('"') || (value.starts_with('[') && scan::items(value).all(|item| item.starts_with('"')))
}

/// What is written above, what Logstash keeps for itself, and what the http input adds to an event: where it finds a
/// text in an object's place, the event is lost.
fn is_taken(key: &str, member: &Member<'_>) -> bool {
    match key {
        "@timestamp" | "event_key" | "event_type" | "severity" | "siemaphore" => true,
        "@version" | "@metadata" | "tags" => true,
        "event" | "host" | "http" | "url" | "user_agent" => !scan::is_object(member.value),
        _ => false,
    }
}

fn repeats_the_envelope(key: &str, member: &Member<'_>, event: &Event) -> bool {
    let Some(text) = scan::text(member.value) else { return false };
    match key {
        "@timestamp" => text == event.timestamp,
        "event_key" => text == event.key,
        "event_type" => text == event.event_type,
        "severity" => text == event.severity.as_str(),
        _ => false,
    }
}

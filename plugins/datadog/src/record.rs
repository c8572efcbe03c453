//! One log item per event.

use siemaphore_sdk::facts::{Fact, FactPlaces, Facts};
use siemaphore_sdk::json::{Object, Outline, scan, write_beside};
use siemaphore_sdk::{Event, Writer};

use crate::settings::Settings;

/// What all records share.
#[derive(Debug)]
pub(crate) struct Template {
    settings: Settings,
    /// Where the operator says that user, name and outcome are.
    places: FactPlaces,
    /// Before and after the tag of the service.
    first_tag: String,
    last_tags: String,
}

impl Template {
    pub(crate) fn new(settings: Settings) -> Template {
        let first_tag = match settings.environment.as_str() {
            "" => String::new(),
            environment => format!("env:{environment},"),
        };
        let last_tags = settings.tags.iter().map(|tag| format!(",{tag}")).collect();
        let places = FactPlaces {
            user_email: settings.attributes.usr_email.clone(),
            user_id: settings.attributes.usr_id.clone(),
            tool: settings.attributes.evt_name.clone(),
            outcome: settings.attributes.evt_outcome.clone(),
            ..FactPlaces::default()
        };
        Template { settings, places, first_tag, last_tags }
    }

    pub(crate) fn write(&self, event: &Event, record: &mut Writer) {
        let outline = Outline::new(&event.document);
        let service =
            self.settings.service.as_deref().or(event.project.as_deref()).unwrap_or(&event.producer);
        let mut item = record.object();
        item.plain_key("ddsource").string(self.settings.ddsource.as_deref().unwrap_or(&event.producer));
        item.plain_key("ddtags").string(&self.tags(service));
        item.plain_key("hostname").string(self.hostname(event));
        write_message(&mut item, event, &outline);
        item.plain_key("service").string(service);
        // Without a status Datadog would read `severity`, take "high" for an unknown word and show information.
        item.plain_key("status").string(event.severity.pick(["info", "notice", "warn", "error", "critical"]));
        match outline.get("timestamp").filter(|timestamp| is_time_of(timestamp, event)) {
            Some(timestamp) => item.plain_key("timestamp").raw(timestamp),
            None => item.plain_key("timestamp").string(&event.timestamp),
        }
        self.write_standard_attributes(&mut item, event, &outline);
        write_envelope(&mut item, event, &outline);
        write_document(&mut item, event, &outline);
    }

    /// One text, not a list: Datadog loses the tags of a list.
    fn tags(&self, service: &str) -> String {
        let mut tags = String::with_capacity(
            self.first_tag.len() + "service:".len() + service.len() + self.last_tags.len(),
        );
        tags.push_str(&self.first_tag);
        tags.push_str("service:");
        // A comma would begin another tag.
        tags.extend(service.chars().map(|character| if character == ',' { '_' } else { character }));
        tags.push_str(&self.last_tags);
        tags
    }

    fn hostname<'a>(&'a self, event: &'a Event) -> &'a str {
        match (&self.settings.hostname, event.producer.as_str()) {
            (Some(hostname), _) => hostname,
            (None, "aisg") => "aisg-proxy",
            (None, _) => &event.source,
        }
    }

    /// `usr` and `evt`. A document that has one of them already speaks Datadog's language: that one is left alone.
    fn write_standard_attributes(&self, item: &mut Object<'_>, event: &Event, outline: &Outline<'_>) {
        let facts = Facts::new(event, outline, &self.places);
        if !outline.contains("usr") {
            let email = facts.raw(Fact::UserEmail).filter(|email| email.contains('@'));
            let id = facts.raw(Fact::UserId);
            if email.is_some() || id.is_some() {
                let mut usr = item.object("usr");
                email.into_iter().for_each(|email| usr.plain_key("email").raw(email));
                id.into_iter().for_each(|id| usr.plain_key("id").raw(id));
            }
        }
        if !outline.contains("evt") {
            let ecs = |pointer, place: &Option<String>| {
                if place.is_none() { scalar_at(outline, pointer) } else { None }
            };
            // ECS has both in Datadog's sense, and its producers have other words for them besides.
            let name = ecs("/event/action", &self.places.tool).or_else(|| facts.raw(Fact::Tool));
            let outcome = ecs("/event/outcome", &self.places.outcome).or_else(|| facts.raw(Fact::Outcome));
            let mut evt = item.object("evt");
            match name {
                Some(name) => evt.plain_key("name").raw(name),
                None => evt.plain_key("name").string(&event.event_type),
            }
            outcome.into_iter().for_each(|outcome| evt.plain_key("outcome").raw(outcome));
        }
    }
}

/// A standard attribute cannot hold other attributes, and null says nothing.
fn scalar_at<'a>(outline: &Outline<'a>, pointer: &str) -> Option<&'a str> {
    outline.pointer(pointer).filter(|value| !value.starts_with(['{', '[']) && *value != "null")
}

/// The line that people read first: the document's own words where it has some.
fn write_message(item: &mut Object<'_>, event: &Event, outline: &Outline<'_>) {
    match outline.get("message").filter(|value| value.starts_with('"')) {
        Some(message) => item.plain_key("message").raw(message),
        None => item.plain_key("message").string(&event.event_type),
    }
}

/// What the envelope knows and the document does not say under the same name.
fn write_envelope(item: &mut Object<'_>, event: &Event, outline: &Outline<'_>) {
    let members = [
        ("event_key", event.key.as_str()),
        ("event_type", &event.event_type),
        ("severity", event.severity.as_str()),
        ("organization", &event.organization),
    ];
    for (key, value) in members {
        if !outline.contains(key) {
            item.plain_key(key).string(value);
        }
    }
}

/// The document's members at the root. One that a reserved attribute pushed aside is kept as `original_<name>`,
/// unless it says the same.
fn write_document(item: &mut Object<'_>, event: &Event, outline: &Outline<'_>) {
    write_beside(
        item,
        outline,
        usize::MAX,
        |key, _| is_reserved(key),
        |key, member| repeats_the_envelope(key, member.value, event),
    );
}

/// Root members with a meaning to Datadog. They are always written from the envelope.
fn is_reserved(key: &str) -> bool {
    matches!(key, "ddsource" | "ddtags" | "hostname" | "message" | "service" | "status" | "timestamp")
}

fn repeats_the_envelope(key: &str, value: &str, event: &Event) -> bool {
    match key {
        "timestamp" => is_time_of(value, event),
        // A text became the item's message as it is.
        "message" => value.starts_with('"'),
        _ => false,
    }
}

/// Whether a value is the event's time in the envelope's form, give or take zeros at the end of the fraction.
fn is_time_of(value: &str, event: &Event) -> bool {
    const TO_THE_SECOND: usize = "2026-06-08T20:15:30".len();
    let Some(text) = scan::text(value) else { return false };
    let fraction = text.strip_suffix('Z').and_then(|text| text.get(TO_THE_SECOND..));
    text.get(..TO_THE_SECOND) == event.timestamp.get(..TO_THE_SECOND)
        && fraction.is_some_and(|fraction| {
            fraction.is_empty()
                || fraction
                    .strip_prefix('.')
                    .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
        })
}

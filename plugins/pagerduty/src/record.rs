//! One trigger event per security event.

use siemaphore_sdk::facts::{Fact, Facts};
use siemaphore_sdk::json::{Object, Outline, cut, write_beside};
use siemaphore_sdk::text::cut_characters;
use siemaphore_sdk::{Event, Writer};

use crate::deduplication;
use crate::settings::Settings;

/// PagerDuty takes no longer summary.
const LONGEST_SUMMARY: usize = 1_024;
/// The other texts have no documented limit. This one keeps an event far below 512 KB, whatever its document repeats.
const LONGEST_TEXT: usize = 1_024;

pub(crate) fn write(settings: &Settings, event: &Event, record: &mut Writer) {
    let outline = Outline::new(&event.document);
    let facts = Facts::new(event, &outline, &settings.fields);
    let mut alert = record.object();
    alert.string("event_action", "trigger");
    alert.string("dedup_key", &deduplication::key(&settings.alert_per, event, &facts));
    alert.string("client", &settings.client);
    if let Some(url) = &settings.client_url {
        alert.string("client_url", url);
    }
    let component = facts.text(Fact::Tool).or_else(|| facts.text(Fact::AgentName));
    let mut payload = alert.object("payload");
    payload.string("summary", &facts.headline(LONGEST_SUMMARY));
    payload.string("severity", event.severity.pick(["info", "info", "warning", "error", "critical"]));
    payload.string("timestamp", &event.timestamp);
    for (name, text) in [
        ("source", event.source.as_str()),
        ("class", &event.event_type),
        ("group", event.project.as_deref().unwrap_or(&event.organization)),
        ("component", component.as_deref().unwrap_or(&event.producer)),
    ] {
        payload.string(name, &cut_characters(text, LONGEST_TEXT));
    }
    write_details(&mut payload.object("custom_details"), event, &outline, &facts);
}

/// What everybody asks of events of all producers, then the document, each member once.
fn write_details(details: &mut Object<'_>, event: &Event, outline: &Outline<'_>, facts: &Facts<'_>) {
    details.string("event_key", &event.key);
    if !event.id.is_empty() {
        details.string("event_id", &cut_characters(&event.id, LONGEST_TEXT));
    }
    details.string("severity", event.severity.as_str());
    details.string("producer", &event.producer);
    details.string("organization", &event.organization);
    if let Some(project) = &event.project {
        details.string("project", &cut_characters(project, LONGEST_TEXT));
    }
    for (name, value) in facts.known() {
        details.raw(name, &cut(&value, LONGEST_TEXT));
    }
    write_beside(&mut details.object("document"), outline, usize::MAX, |_, _| false, |_, _| false);
}

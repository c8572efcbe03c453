//! One line per event.

use std::iter;

use siemaphore_sdk::facts::{FactPlaces, Facts};
use siemaphore_sdk::json::scan::{self, Member};
use siemaphore_sdk::json::{Object, Outline, cut, write_beside};
use siemaphore_sdk::{Event, Rejected, Writer};

/// A longer message is sliced, and no slice is JSON.
pub(crate) const LONGEST_LINE: usize = 65_536;

/// How long a value may be within an event that is too long: the first of these that makes it fit. A shortened event
/// can be searched, a sliced one cannot.
const VALUE_LIMITS: [usize; 4] = [16_384, 4_096, 1_024, 256];

pub(crate) fn write(event: &Event, places: &FactPlaces, record: &mut Writer) -> Result<(), Rejected> {
    let outline = Outline::new(&event.document);
    let start = record.len();
    for longest_value in iter::once(LONGEST_LINE).chain(VALUE_LIMITS) {
        record.truncate(start);
        write_line(event, &outline, places, longest_value, record);
        if record.len() - start <= LONGEST_LINE {
            return Ok(());
        }
    }
    let bytes = record.len() - start;
    Err(format!("{bytes} bytes with every value cut short: Sumo Logic slices what is over {LONGEST_LINE}")
        .into())
}

fn write_line(
    event: &Event,
    outline: &Outline<'_>,
    places: &FactPlaces,
    longest_value: usize,
    record: &mut Writer,
) {
    let timestamp = to_the_millisecond(event);
    let mut line = record.object();
    // First, because Sumo Logic takes the first time that it finds for the message's own.
    line.plain_key("timestamp").string(&timestamp);
    line.plain_key("event_type").string(&event.event_type);
    line.plain_key("severity").string(event.severity.as_str());
    line.plain_key("event_key").string(&event.key);
    write_known(event, outline, places, longest_value, &mut line);
    write_beside(
        &mut line,
        outline,
        longest_value,
        |key, _| is_own(key),
        |key, member| repeats_the_envelope(key, member, event, &timestamp),
    );
}

/// What is asked of events of every producer, under one name each.
fn write_known(
    event: &Event,
    outline: &Outline<'_>,
    places: &FactPlaces,
    longest_value: usize,
    line: &mut Object<'_>,
) {
    let mut known = line.object("siemaphore");
    known.plain_key("source").string(&event.source);
    known.plain_key("producer").string(&event.producer);
    known.plain_key("organization").string(&event.organization);
    if let Some(project) = &event.project {
        known.plain_key("project").string(project);
    }
    for (name, value) in Facts::new(event, outline, places).known() {
        known.plain_key(name).raw(&cut(&value, longest_value));
    }
}

fn is_own(key: &str) -> bool {
    matches!(key, "timestamp" | "event_type" | "severity" | "event_key" | "siemaphore")
}

fn repeats_the_envelope(key: &str, member: &Member<'_>, event: &Event, timestamp: &str) -> bool {
    let Some(text) = scan::text(member.value) else { return false };
    match key {
        "timestamp" => text == event.timestamp || text == timestamp,
        "event_type" => text == event.event_type,
        "severity" => text == event.severity.as_str(),
        "event_key" => text == event.key,
        _ => false,
    }
}

/// The form that Sumo Logic documents: always three decimals.
fn to_the_millisecond(event: &Event) -> String {
    const TO_THE_SECOND: usize = "2026-06-08T20:15:30".len();
    let second = event.timestamp.get(..TO_THE_SECOND).unwrap_or(&event.timestamp);
    format!("{second}.{:03}Z", event.timestamp_ns % 1_000_000_000 / 1_000_000)
}

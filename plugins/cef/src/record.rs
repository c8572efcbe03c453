//! One line per event. The lengths are those of the producer dictionary.

use siemaphore_sdk::facts::{Decision, Fact, Facts};
use siemaphore_sdk::json::Outline;
use siemaphore_sdk::{Event, Writer};

use crate::line::{Line, header};
use crate::settings::{MOST_PRODUCT_BYTES, MOST_VENDOR_BYTES, MOST_VERSION_BYTES, Settings};

const MOST_CLASS_ID_BYTES: usize = 1_023;
const MOST_NAME_BYTES: usize = 512;
const MOST_CUSTOM_STRING_BYTES: usize = 4_000;
/// Of most texts.
const MOST_TEXT_BYTES: usize = 1_023;
const MOST_ACTION_BYTES: usize = 63;
const MOST_EXTERNAL_ID_BYTES: usize = 40;
const MOST_HOST_BYTES: usize = 100;
const NS_PER_MS: u64 = 1_000_000;

pub(crate) fn write(settings: &Settings, event: &Event, record: &mut Writer) {
    let outline = Outline::new(&event.document);
    let facts = Facts::new(event, &outline, &settings.fields);
    let mut line = Line::begin(record, &fields(settings, event), settings.max_line_bytes as usize);
    line.pair("rt", &(event.timestamp_ns / NS_PER_MS).to_string(), MOST_TEXT_BYTES);
    line.pair("externalId", &event.key, MOST_EXTERNAL_ID_BYTES);
    line.pair("cat", event.event_type.split('.').next().unwrap_or_default(), MOST_TEXT_BYTES);
    write_outcome(&mut line, &facts);
    write_user(&mut line, &facts);
    write_custom(&mut line, event, &facts);
    write_own(&mut line, event, &facts);
    line.pair("SiemaphoreDocument", &event.document, usize::MAX);
}

/// What stands between the pipes, after the version.
fn fields(settings: &Settings, event: &Event) -> [String; 6] {
    [
        header(&settings.vendor, MOST_VENDOR_BYTES),
        header(settings.product.as_deref().unwrap_or(&event.producer), MOST_PRODUCT_BYTES),
        header(&settings.device_version, MOST_VERSION_BYTES),
        header(&event.event_type, MOST_CLASS_ID_BYTES),
        header(&name(&event.event_type), MOST_NAME_BYTES),
        event.severity.pick(["1", "3", "5", "8", "10"]).to_owned(),
    ]
}

/// The same text for every event of a type, as CEF wants it: `dlp.pii_blocked` is "Dlp pii blocked".
fn name(event_type: &str) -> String {
    let words = event_type.replace(['.', '_', '-'], " ");
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn write_outcome(line: &mut Line<'_>, facts: &Facts<'_>) {
    let decision = facts.decision();
    match decision {
        Decision::Unknown => text(line, "act", facts, Fact::Outcome, MOST_ACTION_BYTES),
        decision => line.pair("act", decision.as_str(), MOST_ACTION_BYTES),
    }
    line.pair(
        "outcome",
        decision.pick(["success", "failure", "success", "", "failure", ""]),
        MOST_ACTION_BYTES,
    );
    text(line, "msg", facts, Fact::Reason, MOST_TEXT_BYTES);
}

fn write_user(line: &mut Line<'_>, facts: &Facts<'_>) {
    let who = [Fact::UserEmail, Fact::UserName, Fact::UserId].into_iter().find_map(|fact| facts.text(fact));
    line.pair("suser", who.as_deref().unwrap_or_default(), MOST_TEXT_BYTES);
    text(line, "suid", facts, Fact::UserId, MOST_TEXT_BYTES);
    // `src` takes addresses of version 4 only.
    let address = facts.text(Fact::SourceIp).unwrap_or_default();
    if address.contains(':') {
        line.labelled("c6a1", "Source IPv6 Address", &address, MOST_TEXT_BYTES);
    } else {
        line.pair("src", &address, MOST_TEXT_BYTES);
    }
    text(line, "sourceServiceName", facts, Fact::AgentName, MOST_TEXT_BYTES);
    text(line, "destinationServiceName", facts, Fact::ToolServer, MOST_TEXT_BYTES);
}

/// The numbered keys hold the same for every event, whatever its producer.
fn write_custom(line: &mut Line<'_>, event: &Event, facts: &Facts<'_>) {
    let strings = [
        ("cs1", "policy", Fact::Policy),
        ("cs2", "model", Fact::Model),
        ("cs3", "session", Fact::SessionId),
        ("cs4", "rule", Fact::Rule),
        ("cs6", "tool", Fact::Tool),
    ];
    for (key, label, fact) in strings {
        let value = facts.text(fact).unwrap_or_default();
        line.labelled(key, label, &value, MOST_CUSTOM_STRING_BYTES);
    }
    line.labelled("cs5", "organization", &event.organization, MOST_CUSTOM_STRING_BYTES);
    for (key, label, fact) in
        [("cn1", "input tokens", Fact::InputTokens), ("cn2", "output tokens", Fact::OutputTokens)]
    {
        if let Some(count) = facts.number(fact).filter(|count| i64::try_from(*count).is_ok()) {
            line.labelled(key, label, &count.to_string(), MOST_TEXT_BYTES);
        }
    }
}

/// What the dictionary has no key for.
fn write_own(line: &mut Line<'_>, event: &Event, facts: &Facts<'_>) {
    line.pair("dvchost", &event.source, MOST_HOST_BYTES);
    line.pair("SiemaphoreProducer", &event.producer, MOST_TEXT_BYTES);
    line.pair("SiemaphoreProject", event.project.as_deref().unwrap_or_default(), MOST_TEXT_BYTES);
    line.pair("SiemaphoreEventId", &event.id, MOST_TEXT_BYTES);
    text(line, "SiemaphoreRequestId", facts, Fact::RequestId, MOST_TEXT_BYTES);
    text(line, "SiemaphoreAgentId", facts, Fact::AgentId, MOST_TEXT_BYTES);
}

fn text(line: &mut Line<'_>, key: &str, facts: &Facts<'_>, fact: Fact, most: usize) {
    line.pair(key, &facts.text(fact).unwrap_or_default(), most);
}

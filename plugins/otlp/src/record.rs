//! One `ResourceLogs` per event.

use std::borrow::Cow;

use siemaphore_sdk::facts::{Fact, Facts};
use siemaphore_sdk::json::{Object, Outline, scan};
use siemaphore_sdk::{Event, Writer};

use crate::attributes::Attributes;
use crate::settings::Settings;
use crate::value;

/// Facts with an attribute in OpenTelemetry's semantic conventions.
const TEXTS: [(&str, Fact); 10] = [
    ("user.id", Fact::UserId),
    ("user.email", Fact::UserEmail),
    ("user.name", Fact::UserName),
    ("session.id", Fact::SessionId),
    ("client.address", Fact::SourceIp),
    ("gen_ai.request.model", Fact::Model),
    ("gen_ai.agent.id", Fact::AgentId),
    ("gen_ai.agent.name", Fact::AgentName),
    ("gen_ai.tool.name", Fact::Tool),
    ("security_rule.name", Fact::Rule),
];

const NUMBERS: [(&str, Fact); 2] =
    [("gen_ai.usage.input_tokens", Fact::InputTokens), ("gen_ai.usage.output_tokens", Fact::OutputTokens)];

/// What all records share.
#[derive(Debug)]
pub(crate) struct Template {
    settings: Settings,
}

impl Template {
    pub(crate) fn new(settings: Settings) -> Template {
        Template { settings }
    }

    pub(crate) fn write(&self, event: &Event, out: &mut Writer) {
        let outline = Outline::new(&event.document);
        let facts = Facts::new(event, &outline, &self.settings.fields);
        let mut resource_logs = out.object();
        self.write_resource(&mut resource_logs, event);
        let scope_logs = resource_logs.plain_key("scopeLogs");
        scope_logs.raw("[");
        {
            let mut logs = scope_logs.object();
            {
                let mut scope = logs.object("scope");
                scope.plain_key("name").string("siemaphore");
                scope.plain_key("version").string(env!("CARGO_PKG_VERSION"));
            }
            let records = logs.plain_key("logRecords");
            records.raw("[");
            write_log_record(&mut records.object(), event, &outline, &facts);
            records.raw("]");
        }
        scope_logs.raw("]");
    }

    fn write_resource(&self, resource_logs: &mut Object<'_>, event: &Event) {
        let mut resource = resource_logs.object("resource");
        let mut attributes = Attributes::begin(resource.plain_key("attributes"));
        let service_name = self.settings.service_name.as_deref().unwrap_or(&event.producer);
        attributes.text("service.name", Cow::Borrowed(service_name));
        attributes.text("siemaphore.organization", Cow::Borrowed(&event.organization));
        if let Some(project) = &event.project {
            attributes.text("siemaphore.project", Cow::Borrowed(project));
        }
        attributes.text("siemaphore.producer", Cow::Borrowed(&event.producer));
        attributes.text("siemaphore.source", Cow::Borrowed(&event.source));
        for (key, value) in &self.settings.resource {
            attributes.setting(key, value);
        }
        attributes.end();
    }
}

fn write_log_record(record: &mut Object<'_>, event: &Event, outline: &Outline<'_>, facts: &Facts<'_>) {
    write_nanoseconds(record.plain_key("timeUnixNano"), event.timestamp_ns);
    write_nanoseconds(record.plain_key("observedTimeUnixNano"), event.received_ns);
    // INFO, INFO2, WARN, ERROR and FATAL.
    record.plain_key("severityNumber").unsigned(event.severity.pick([9, 10, 13, 17, 21]));
    record.plain_key("severityText").string(event.severity.as_str());
    record.plain_key("eventName").string(&event.event_type);
    let body = facts.text(Fact::Reason).unwrap_or(Cow::Borrowed(&event.event_type));
    value::write_text(record.plain_key("body"), &body);
    write_attributes(record.plain_key("attributes"), event, outline, facts);
    for (key, names, digits) in
        [("traceId", ["trace_id", "traceId"], 32), ("spanId", ["span_id", "spanId"], 16)]
    {
        if let Some(id) = names.iter().find_map(|name| hex_id(outline.get(name)?, digits)) {
            record.plain_key(key).string(&id);
        }
    }
}

fn write_attributes(out: &mut Writer, event: &Event, outline: &Outline<'_>, facts: &Facts<'_>) {
    let mut attributes = Attributes::begin(out);
    attributes.text("log.record.uid", Cow::Borrowed(&event.key));
    if !event.id.is_empty() {
        attributes.text("event.id", Cow::Borrowed(&event.id));
    }
    // Collectors from before `eventName` drop that member without a word.
    attributes.text("event.name", Cow::Borrowed(&event.event_type));
    attributes.text("siemaphore.decision", Cow::Borrowed(facts.decision().as_str()));
    for (key, fact) in TEXTS {
        if let Some(text) = facts.text(fact) {
            attributes.text(key, text);
        }
    }
    // A rule's set is what producers call a policy.
    if let Some(policy) = facts.text(Fact::Policy) {
        attributes.text("security_rule.ruleset.name", policy);
    }
    for (key, fact) in NUMBERS {
        if let Some(number) = facts.number(fact).filter(|number| i64::try_from(*number).is_ok()) {
            attributes.unsigned(key, number);
        }
    }
    attributes.document(outline);
    attributes.end();
}

fn write_nanoseconds(out: &mut Writer, nanoseconds: u64) {
    out.raw("\"");
    out.unsigned(nanoseconds);
    out.raw("\"");
}

/// An identifier of W3C's trace context: so many lowercase hexadecimal digits, not all of them zero. Another one would
/// be refused with the whole request.
fn hex_id(value: &str, digits: usize) -> Option<String> {
    let id = scan::text(value)?.to_ascii_lowercase();
    let is_one = id.len() == digits
        && id.bytes().all(|digit| digit.is_ascii_hexdigit())
        && id.bytes().any(|digit| digit != b'0');
    is_one.then_some(id)
}

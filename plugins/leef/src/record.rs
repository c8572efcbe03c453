//! One line per event: first what QRadar has keys for, then our own keys, the document last.

use siemaphore_sdk::facts::{Decision, Fact, Facts};
use siemaphore_sdk::json::Outline;
use siemaphore_sdk::{Event, Writer};

use crate::line::{Delimiter, Line, header};
use crate::settings::Settings;

/// What all records share.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) settings: Settings,
    pub(crate) delimiter: Delimiter,
}

/// Of the fields of the header and of user names.
const MOST_NAME_BYTES: usize = 255;
/// Of other texts, so that a long one does not crowd out the rest.
const MOST_TEXT_BYTES: usize = 512;
const NS_PER_MS: u64 = 1_000_000;

impl Template {
    pub(crate) fn write(&self, event: &Event, record: &mut Writer) {
        let settings = &self.settings;
        let outline = Outline::new(&event.document);
        let facts = Facts::new(event, &outline, &settings.fields);
        let fields = [&settings.vendor, &settings.product, &settings.product_version, &event.event_type]
            .map(|field| header(field, MOST_NAME_BYTES));
        let mut line = Line::begin(record, &fields, self.delimiter, settings.max_line_bytes as usize);
        write_known(&mut line, event, &facts);
        write_own(&mut line, event, &facts);
        line.attribute("document", &self.delimiter.escape_in_json(&event.document), usize::MAX);
    }
}

/// Attributes with a meaning to QRadar.
fn write_known(line: &mut Line<'_>, event: &Event, facts: &Facts<'_>) {
    // Thirteen digits are read as milliseconds, ten as seconds, without a format beside them.
    line.attribute("devTime", &format!("{:013}", event.timestamp_ns / NS_PER_MS), MOST_TEXT_BYTES);
    line.attribute("cat", event.event_type.split('.').next().unwrap_or_default(), MOST_TEXT_BYTES);
    line.attribute("sev", event.severity.pick(["1", "3", "5", "8", "10"]), MOST_TEXT_BYTES);
    let who = [Fact::UserEmail, Fact::UserName, Fact::UserId].into_iter().find_map(|fact| facts.text(fact));
    line.attribute("usrName", who.as_deref().unwrap_or_default(), MOST_NAME_BYTES);
    text(line, "src", facts, Fact::SourceIp);
    text(line, "policy", facts, Fact::Policy);
    text(line, "resource", facts, Fact::Tool);
}

fn write_own(line: &mut Line<'_>, event: &Event, facts: &Facts<'_>) {
    line.attribute("eventKey", &event.key, MOST_TEXT_BYTES);
    match facts.decision() {
        Decision::Unknown => text(line, "action", facts, Fact::Outcome),
        decision => line.attribute("action", decision.as_str(), MOST_TEXT_BYTES),
    }
    for (key, value) in [
        ("organization", event.organization.as_str()),
        ("producer", &event.producer),
        ("source", &event.source),
        ("project", event.project.as_deref().unwrap_or_default()),
        ("eventId", &event.id),
    ] {
        line.attribute(key, value, MOST_TEXT_BYTES);
    }
    for (key, fact) in [
        ("reason", Fact::Reason),
        ("rule", Fact::Rule),
        ("userId", Fact::UserId),
        ("model", Fact::Model),
        ("agentName", Fact::AgentName),
        ("agentId", Fact::AgentId),
        ("toolServer", Fact::ToolServer),
        ("sessionId", Fact::SessionId),
        ("requestId", Fact::RequestId),
        ("inputTokens", Fact::InputTokens),
        ("outputTokens", Fact::OutputTokens),
    ] {
        text(line, key, facts, fact);
    }
}

fn text(line: &mut Line<'_>, key: &str, facts: &Facts<'_>, fact: Fact) {
    line.attribute(key, &facts.text(fact).unwrap_or_default(), MOST_TEXT_BYTES);
}

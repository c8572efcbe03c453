//! One message per event.
//!
//! The text is what notifications show. The rest is an attachment, because only attachments have a colour. Its texts
//! are `verbatim`: Slack finds no addresses and channel names in them by itself.

use std::borrow::Cow;

use siemaphore_sdk::facts::{Decision, Fact, Facts};
use siemaphore_sdk::json::{Object, Outline};
use siemaphore_sdk::{Event, Writer};

use crate::markup::{code, escaped};
use crate::settings::Settings;

/// Slack recommends 4,000 characters; a notification shows far fewer.
const LONGEST_HEADLINE: usize = 1_000;
/// Slack takes ten fields with 2,000 characters each; beside others, more than a line or two cannot be read.
const LONGEST_FIELD: usize = 300;
/// Slack takes 3,000 in a section, of which the marks around the code are six.
const LONGEST_CODE: usize = 3_000 - FENCE.len() * 2;
const FENCE: &str = "```";

pub(crate) fn write(settings: &Settings, event: &Event, record: &mut Writer) {
    let outline = Outline::new(&event.document);
    let facts = Facts::new(event, &outline, &settings.fields);
    let mut message = record.object();
    message.string("text", &text(settings, event, &facts));
    // A link in an event's text must not make Slack fetch what is there.
    message.raw("unfurl_links", "false");
    message.raw("unfurl_media", "false");
    let attachments = message.key("attachments");
    attachments.raw("[");
    write_attachment(settings, event, &facts, attachments);
    attachments.raw("]");
}

/// Whom it calls, how serious it is, and what happened.
fn text(settings: &Settings, event: &Event, facts: &Facts<'_>) -> String {
    let severity = event.severity.pick(["Informational", "Low", "Medium", "High", "Critical"]);
    let headline = escaped(&facts.headline(LONGEST_HEADLINE), LONGEST_HEADLINE);
    match settings.mentions.of(event.severity) {
        Some(mentions) => format!("{mentions} *{severity}*: {headline}"),
        None => format!("*{severity}*: {headline}"),
    }
}

fn write_attachment(settings: &Settings, event: &Event, facts: &Facts<'_>, attachments: &mut Writer) {
    let mut attachment = attachments.object();
    attachment.string("color", event.severity.pick(["#8d8d8d", "#3b82c4", "#ecb22e", "#e8711a", "#c4122e"]));
    let blocks = attachment.key("blocks");
    blocks.raw("[");
    write_fields(event, facts, &mut blocks.object());
    blocks.raw(",");
    write_context(event, &mut blocks.object());
    if settings.document {
        blocks.raw(",");
        let mut section = blocks.object();
        section.string("type", "section");
        let document = format!("{FENCE}{}{FENCE}", code(&event.document, LONGEST_CODE));
        write_text(section.key("text"), &document);
    }
    blocks.raw("]");
}

/// Two columns with what everybody asks, as far as the event says.
fn write_fields(event: &Event, facts: &Facts<'_>, section: &mut Object<'_>) {
    section.string("type", "section");
    let fields = section.key("fields");
    fields.raw("[");
    write_text(fields, &format!("*Severity*\n{}", event.severity.as_str()));
    for (name, value) in answers(facts) {
        if let Some(value) = value {
            fields.raw(",");
            write_text(fields, &format!("*{name}*\n{}", escaped(&value, LONGEST_FIELD)));
        }
    }
    fields.raw("]");
}

/// A request is what there is to look for where the producer knows of no session.
fn by_session_or_request<'a>(facts: &Facts<'a>) -> (&'static str, Option<Cow<'a, str>>) {
    match facts.text(Fact::SessionId) {
        None => ("Request", facts.text(Fact::RequestId)),
        session => ("Session", session),
    }
}

/// With the severity, as many as a section takes.
fn answers<'a>(facts: &Facts<'a>) -> [(&'static str, Option<Cow<'a, str>>); 9] {
    let either = |first, second| facts.text(first).or_else(|| facts.text(second));
    let outcome = match facts.decision() {
        Decision::Unknown => facts.text(Fact::Outcome),
        decision => Some(decision.as_str().into()),
    };
    let user = facts.text(Fact::UserEmail).or_else(|| facts.text(Fact::UserName));
    [
        ("Decision", outcome),
        ("User", beside(user, facts.text(Fact::UserId))),
        ("Policy", facts.text(Fact::Policy)),
        ("Rule", facts.text(Fact::Rule)),
        ("Tool", beside(facts.text(Fact::Tool), facts.text(Fact::ToolServer))),
        ("Agent", either(Fact::AgentName, Fact::AgentId)),
        ("Model", facts.text(Fact::Model)),
        by_session_or_request(facts),
        ("Address", facts.text(Fact::SourceIp)),
    ]
}

/// `ann@acme.com (usr_1)`, or the one that there is.
fn beside<'a>(first: Option<Cow<'a, str>>, second: Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
    match (first, second) {
        (Some(first), Some(second)) if first != second => Some(format!("{first} ({second})").into()),
        (first, second) => first.or(second),
    }
}

/// Small print: when, in the reader's own time, where from, and under which key the SIEMs have it.
fn write_context(event: &Event, context: &mut Object<'_>) {
    const NS_PER_S: u64 = 1_000_000_000;
    context.string("type", "context");
    let elements = context.key("elements");
    let whose = match &event.project {
        Some(project) => format!("{} / {project}", event.organization),
        None => event.organization.clone(),
    };
    let shown = |text: &str| escaped(text, LONGEST_FIELD);
    let seconds = event.timestamp_ns / NS_PER_S;
    elements.raw("[");
    write_text(
        elements,
        &format!("<!date^{seconds}^{{date_num}} {{time_secs}}|{}>", shown(&event.timestamp)),
    );
    for words in [shown(&whose), shown(&format!("{} from {}", event.producer, event.source))] {
        elements.raw(",");
        write_text(elements, &words);
    }
    elements.raw(",");
    write_text(elements, &format!("`{}`", shown(&event.key)));
    elements.raw("]");
}

fn write_text(to: &mut Writer, markup: &str) {
    let mut text = to.object();
    text.string("type", "mrkdwn");
    text.string("text", markup);
    text.raw("verbatim", "true");
}

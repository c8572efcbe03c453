//! An event as a document in the Elastic Common Schema, for SIEMs that speak it.
//!
//! What everybody asks of an event stands where ECS has it. The producer's own members are kept below one member named
//! after the producer, where they can neither collide with ECS nor with another producer's types.

mod classification;

use std::borrow::Cow;

use self::classification::Classification;
use crate::facts::{Fact, FactPlaces, Facts};
use crate::json::{Names, Object, Outline, scan};
use crate::{Event, Writer};

const ECS_VERSION: &str = "8.17.0";

/// Members at the root that are ECS's, and so no producer's.
const ECS_MEMBERS: [&str; 14] = [
    "@timestamp",
    "ecs",
    "event",
    "gen_ai",
    "http",
    "labels",
    "log",
    "message",
    "observer",
    "organization",
    "rule",
    "source",
    "tags",
    "user",
];

/// Writes the document: one JSON object on one line. `places` says where facts stand that are not in their usual place.
pub fn write(event: &Event, places: &FactPlaces, record: &mut Writer) {
    let outline = Outline::new(&event.document);
    let facts = Facts::new(event, &outline, places);
    let mut document = record.object();
    document.plain_key("@timestamp").string(&event.timestamp);
    document.object("ecs").string("version", ECS_VERSION);
    match facts.text(Fact::Reason) {
        Some(reason) => document.string("message", &reason),
        None => document.string("message", &event.event_type),
    }
    document.object("log").string("level", event.severity.as_str());
    write_event(document.object("event"), event, &outline, facts);
    document.object("organization").string("id", &event.organization);
    write_observer(document.object("observer"), event);
    write_who_and_why(&mut document, facts);
    write_gen_ai(&mut document, facts);
    write_labels(document.object("labels"), event, facts);
    write_own_members(document.object(&namespace(&event.producer)), event, &outline);
}

fn write_event(mut object: Object<'_>, event: &Event, outline: &Outline<'_>, facts: Facts<'_>) {
    let classification = Classification::of(event, facts.decision(), outline);
    object.string("id", if event.id.is_empty() { &event.key } else { &event.id });
    // The `_id` again, as a field: it finds what was stored twice, once before and once after a rollover.
    object.string("hash", &event.key);
    object.string("kind", classification.kind);
    write_list(object.key("category"), &classification.categories);
    write_list(object.key("type"), &classification.types);
    object.string("action", &event.event_type);
    object.string("outcome", classification.outcome);
    // The tops of the bands in which Elastic's rules give scores.
    object.unsigned("severity", event.severity.pick([10, 21, 47, 73, 99]));
    object.string("module", &event.producer);
    match outline.pointer("/event/dataset").and_then(scan::text).filter(|dataset| !dataset.is_empty()) {
        Some(dataset) => object.string("dataset", &dataset),
        None => object.string("dataset", &format!("{}.security", event.producer)),
    }
    if let Some(reason) = facts.text(Fact::Reason) {
        object.string("reason", &reason);
    }
}

fn write_observer(mut object: Object<'_>, event: &Event) {
    object.string("name", &event.source);
    object.string("product", &event.producer);
    object.string("type", "ai-gateway");
}

fn write_who_and_why(document: &mut Object<'_>, facts: Facts<'_>) {
    write_texts(
        document,
        "user",
        [
            ("id", facts.text(Fact::UserId)),
            ("email", facts.text(Fact::UserEmail)),
            ("name", facts.text(Fact::UserName)),
        ],
    );
    let policy = facts.text(Fact::Policy);
    let rule = facts.text(Fact::Rule).or_else(|| policy.clone());
    write_texts(document, "rule", [("name", rule), ("ruleset", policy)]);
    if let Some(id) = facts.text(Fact::RequestId) {
        document.object("http").object("request").string("id", &id);
    }
    // The operator's own pointer may lead to anything; Elasticsearch refuses the document for another text.
    let address = facts.text(Fact::SourceIp).filter(|address| address.parse::<std::net::IpAddr>().is_ok());
    write_texts(document, "source", [("ip", address)]);
}

fn write_gen_ai(document: &mut Object<'_>, facts: Facts<'_>) {
    let model = facts.text(Fact::Model);
    let agent = [("id", facts.text(Fact::AgentId)), ("name", facts.text(Fact::AgentName))];
    let tool = facts.text(Fact::Tool);
    let usage = [
        ("input_tokens", tokens(facts, Fact::InputTokens)),
        ("output_tokens", tokens(facts, Fact::OutputTokens)),
    ];
    let has_agent = agent.iter().any(|(_, value)| value.is_some());
    let has_usage = usage.iter().any(|(_, value)| value.is_some());
    if model.is_none() && tool.is_none() && !has_agent && !has_usage {
        return;
    }
    let mut gen_ai = document.object("gen_ai");
    write_texts(&mut gen_ai, "request", [("model", model)]);
    write_texts(&mut gen_ai, "agent", agent);
    write_texts(&mut gen_ai, "tool", [("name", tool)]);
    if has_usage {
        let mut object = gen_ai.object("usage");
        for (name, value) in usage {
            value.into_iter().for_each(|value| object.unsigned(name, value));
        }
    }
}

/// What has no place in ECS and is worth a filter.
fn write_labels(mut labels: Object<'_>, event: &Event, facts: Facts<'_>) {
    labels.string("decision", facts.decision().as_str());
    let project = event.project.as_deref().map(Cow::Borrowed);
    let members = [
        ("project", project),
        ("session_id", facts.text(Fact::SessionId)),
        ("tool_server", facts.text(Fact::ToolServer)),
    ];
    for (name, value) in members {
        value.into_iter().for_each(|value| labels.string(name, &value));
    }
}

/// Members that hold anything by their format. A field of Elasticsearch is an object in every document or in none, so
/// what is no object stands beside it.
const ANYTHING: [(&str, &str); 2] = [("cloudevents", "data"), ("otlp", "body")];

/// The whole document. A producer whose document is in ECS has a member of its own name already: that one's members
/// come first and keep their places, such as `aegis.decision`, and the rest stands beside them.
fn write_own_members(mut own: Object<'_>, event: &Event, outline: &Outline<'_>) {
    let is_namesake = |key: &str, value| key == event.producer && scan::is_object(value);
    let mut names = Names::default();
    for member in outline.members().iter().filter(|member| is_namesake(&member.key(), member.value)) {
        for inner in Outline::new(member.value).members() {
            names.insert(inner.key().into_owned());
            own.plain_key(inner.raw_key).raw(inner.value);
        }
    }
    for member in outline.members().iter().filter(|member| !is_namesake(&member.key(), member.value)) {
        let mut name = member.key().into_owned();
        if ANYTHING.contains(&(event.producer.as_str(), name.as_str())) && !scan::is_object(member.value) {
            name.push_str("_value");
        }
        while names.contains(&name) || (name != member.key() && outline.contains(&name)) {
            name.insert_str(0, "original_");
        }
        own.key(&name).raw(member.value);
        names.insert(name);
    }
}

/// The member at the root for a producer's own members.
fn namespace(producer: &str) -> Cow<'_, str> {
    if ECS_MEMBERS.contains(&producer) {
        return Cow::Owned(format!("{producer}_document"));
    }
    // A dot would make it a member within another one.
    if producer.contains('.') { Cow::Owned(producer.replace('.', "_")) } else { Cow::Borrowed(producer) }
}

/// An object of what is known; nothing when nothing is.
fn write_texts<const N: usize>(
    parent: &mut Object<'_>,
    name: &str,
    members: [(&'static str, Option<Cow<'_, str>>); N],
) {
    if members.iter().all(|(_, value)| value.is_none()) {
        return;
    }
    let mut object = parent.object(name);
    for (name, value) in members {
        value.into_iter().for_each(|value| object.string(name, &value));
    }
}

/// Larger numbers do not fit Elasticsearch's `long`.
fn tokens(facts: Facts<'_>, fact: Fact) -> Option<u64> {
    facts.number(fact).filter(|number| i64::try_from(*number).is_ok())
}

fn write_list(record: &mut Writer, values: &[&str]) {
    record.raw("[");
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            record.raw(",");
        }
        record.string(value);
    }
    record.raw("]");
}

//! One OCSF event per event.

use std::borrow::Cow;

use siemaphore_sdk::facts::{Decision, Fact, Facts};
use siemaphore_sdk::json::{Object, Outline};
use siemaphore_sdk::{Event, Writer};

use crate::class::{self, Class};
use crate::settings::Settings;
use crate::{artificial, control};

pub(crate) fn write(settings: &Settings, event: &Event, record: &mut Writer) {
    let outline = Outline::new(&event.document);
    let facts = Facts::new(event, &outline, &settings.fields);
    let class = Class::of(event, facts.decision(), settings.class);
    let version = settings.schema_version;
    let with_model = artificial::applies(class, &facts, version);
    let mut object = record.object();
    write_base(&mut object, class, event, &facts);
    write_metadata(&mut object.object("metadata"), settings, event, &facts, with_model);
    match class {
        Class::DetectionFinding => write_finding(&mut object, event, &facts),
        Class::ApiActivity => write_activity(&mut object, event, &facts),
    }
    control::write(&mut object, class, event, &facts, version);
    if with_model {
        artificial::write(&mut object, event, &facts);
    }
    object.raw("unmapped", &event.document);
}

const NS_PER_MS: u64 = 1_000_000;

/// What every class requires.
fn write_base(object: &mut Object<'_>, class: Class, event: &Event, facts: &Facts<'_>) {
    let (category_uid, category_name) = class.category();
    let (activity_id, activity_name) = class.activity(event);
    object.unsigned("category_uid", category_uid);
    object.string("category_name", category_name);
    object.unsigned("class_uid", class.uid());
    object.string("class_name", class.name());
    object.unsigned("activity_id", activity_id);
    object.string("activity_name", activity_name);
    object.unsigned("type_uid", class.uid() * 100 + activity_id);
    let type_name = if activity_id == class::OTHER { "Other" } else { activity_name };
    object.string("type_name", &format!("{}: {type_name}", class.name()));
    object.unsigned("severity_id", event.severity.pick([1, 2, 3, 4, 5]));
    object.string("severity", event.severity.pick(["Informational", "Low", "Medium", "High", "Critical"]));
    object.unsigned("time", event.timestamp_ns / NS_PER_MS);
    object.string("message", &message(event, facts));
}

fn write_metadata(
    metadata: &mut Object<'_>,
    settings: &Settings,
    event: &Event,
    facts: &Facts<'_>,
    with_model: bool,
) {
    metadata.string("version", settings.schema_version.as_str());
    metadata.string("uid", &event.key);
    {
        let mut product = metadata.object("product");
        product.string("name", settings.product.as_deref().unwrap_or(&event.producer));
        product.string("vendor_name", settings.vendor.as_deref().unwrap_or(&event.producer));
    }
    let profiles =
        if with_model { r#"["security_control","ai_operation"]"# } else { r#"["security_control"]"# };
    metadata.raw("profiles", profiles);
    metadata.string("event_code", &event.event_type);
    metadata.string("log_name", &event.source);
    metadata.string("original_time", &event.timestamp);
    metadata.unsigned("logged_time", event.received_ns / NS_PER_MS);
    metadata.string("tenant_uid", &event.organization);
    if let Some(request) = facts.text(Fact::RequestId) {
        metadata.string("correlation_uid", &request);
    }
}

fn write_finding(object: &mut Object<'_>, event: &Event, facts: &Facts<'_>) {
    object.unsigned("status_id", 1);
    object.string("status", "New");
    {
        let mut info = object.object("finding_info");
        info.string("uid", &event.key);
        info.string("title", &event.event_type);
        info.string("desc", &message(event, facts));
        info.unsigned("created_time", event.timestamp_ns / NS_PER_MS);
        if let Some(rule) = facts.text(Fact::Rule).or_else(|| facts.text(Fact::Policy)) {
            let mut analytic = info.object("analytic");
            analytic.string("uid", &rule);
            analytic.string("name", &rule);
            analytic.unsigned("type_id", 1);
            analytic.string("type", "Rule");
        }
    }
    in_list(object, "evidences", |evidence| {
        write_actor(&mut evidence.object("actor"), event, facts);
        write_api(&mut evidence.object("api"), event, facts);
        write_source(&mut evidence.object("src_endpoint"), event, facts);
    });
    if let Some(tool) = facts.text(Fact::Tool) {
        in_list(object, "resources", |resource| {
            resource.string("name", &tool);
            resource.string("type", "tool");
        });
    }
}

fn write_activity(object: &mut Object<'_>, event: &Event, facts: &Facts<'_>) {
    let (status_id, status) = match facts.decision() {
        Decision::Allowed | Decision::Modified => (1, "Success"),
        Decision::Blocked | Decision::Failed => (2, "Failure"),
        Decision::Flagged | Decision::Unknown => (0, "Unknown"),
    };
    object.unsigned("status_id", status_id);
    object.string("status", status);
    write_actor(&mut object.object("actor"), event, facts);
    write_api(&mut object.object("api"), event, facts);
    write_source(&mut object.object("src_endpoint"), event, facts);
}

/// Who did it. The application is always known, so that the actor is never empty, which the schema refuses.
fn write_actor(actor: &mut Object<'_>, event: &Event, facts: &Facts<'_>) {
    let agent = facts.text(Fact::AgentName);
    actor.string("app_name", agent.as_deref().unwrap_or(&event.producer));
    if let Some(agent) = facts.text(Fact::AgentId) {
        actor.string("app_uid", &agent);
    }
    if let Some(session) = facts.text(Fact::SessionId) {
        actor.object("session").string("uid", &session);
    }
    let (uid, email) = (facts.text(Fact::UserId), facts.text(Fact::UserEmail));
    // A user has a name or an id; an address alone is refused.
    let name = facts.text(Fact::UserName).or_else(|| email.clone());
    if uid.is_none() && name.is_none() {
        return;
    }
    let mut user = actor.object("user");
    for (key, value) in [("uid", uid), ("name", name), ("email_addr", email)] {
        if let Some(value) = value {
            user.string(key, &value);
        }
    }
}

fn write_api(api: &mut Object<'_>, event: &Event, facts: &Facts<'_>) {
    let tool = facts.text(Fact::Tool);
    api.string("operation", tool.as_deref().unwrap_or(&event.event_type));
    if let Some(server) = facts.text(Fact::ToolServer) {
        let mut service = api.object("service");
        service.string("uid", &server);
        service.string("name", &server);
    }
    if let Some(request) = facts.text(Fact::RequestId) {
        api.object("request").string("uid", &request);
    }
}

fn write_source(endpoint: &mut Object<'_>, event: &Event, facts: &Facts<'_>) {
    endpoint.string("name", &event.source);
    if let Some(address) = facts.text(Fact::SourceIp) {
        endpoint.string("ip", &address);
    }
}

fn message<'a>(event: &'a Event, facts: &Facts<'a>) -> Cow<'a, str> {
    facts.text(Fact::Reason).unwrap_or(Cow::Borrowed(&event.event_type))
}

/// A list of one object.
fn in_list(object: &mut Object<'_>, key: &str, write: impl FnOnce(&mut Object<'_>)) {
    let list = object.key(key);
    list.raw("[");
    write(&mut list.object());
    list.raw("]");
}

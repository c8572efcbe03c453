//! One UDM event per event.

use std::borrow::Cow;

use siemaphore_sdk::facts::{Fact, Facts};
use siemaphore_sdk::json::{Object, Outline};
use siemaphore_sdk::{Event, Writer};

use crate::additional::Additional;
use crate::event_type::{EventType, Known};
use crate::settings::Settings;

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
        let parties = Parties::of(&facts);
        let event_type = EventType::of(event, parties.known());
        let mut container = out.object();
        let mut udm = container.object("udm");
        self.write_metadata(udm.object("metadata"), event, event_type, &facts);
        parties.write_principal(udm.object("principal"), event, event_type);
        parties.write_target(&mut udm, event_type);
        if let Some(session) = facts.text(Fact::SessionId) {
            udm.object("network").string("sessionId", &session);
        }
        if event_type == EventType::UserLogin {
            udm.object("extensions").object("auth").string("type", "AUTHTYPE_UNSPECIFIED");
        }
        write_security_result(udm.plain_key("securityResult"), event, &facts);
        write_additional(udm.object("additional"), event, &outline);
    }

    fn write_metadata(
        &self,
        mut metadata: Object<'_>,
        event: &Event,
        event_type: EventType,
        facts: &Facts<'_>,
    ) {
        metadata.string("eventTimestamp", &event.timestamp);
        metadata.string("eventType", event_type.as_str());
        metadata.string("vendorName", self.settings.vendor_name.as_deref().unwrap_or(&event.producer));
        metadata.string("productName", self.settings.product_name.as_deref().unwrap_or(&event.producer));
        metadata.string("productEventType", &event.event_type);
        // The same whenever the event is sent again; the producer's own identifier may repeat.
        metadata.string("productLogId", &event.key);
        if let Some(reason) = facts.text(Fact::Reason) {
            metadata.string("description", &reason);
        }
    }
}

/// Who did it, with what.
struct Parties<'a> {
    user_id: Option<Cow<'a, str>>,
    user_email: Option<Cow<'a, str>>,
    user_name: Option<Cow<'a, str>>,
    source_ip: Option<Cow<'a, str>>,
    agent: Option<Cow<'a, str>>,
    resource: Option<(Cow<'a, str>, &'static str)>,
    tool_server: Option<Cow<'a, str>>,
}

impl<'a> Parties<'a> {
    fn of(facts: &Facts<'a>) -> Parties<'a> {
        let tool = facts.text(Fact::Tool).map(|tool| (tool, "tool"));
        Parties {
            user_id: facts.text(Fact::UserId),
            user_email: facts.text(Fact::UserEmail),
            user_name: facts.text(Fact::UserName),
            source_ip: facts.text(Fact::SourceIp),
            agent: facts.text(Fact::AgentName).or_else(|| facts.text(Fact::AgentId)),
            resource: tool.or_else(|| facts.text(Fact::Model).map(|model| (model, "language model"))),
            tool_server: facts.text(Fact::ToolServer),
        }
    }

    fn known(&self) -> Known {
        Known {
            user: self.user_id.is_some() || self.user_email.is_some(),
            source_ip: self.source_ip.is_some(),
            resource: self.resource.is_some(),
        }
    }

    /// Every event needs at least one party: where nobody is known, it is the application that tells of it.
    fn write_principal(&self, mut principal: Object<'_>, event: &Event, event_type: EventType) {
        principal.string("application", self.agent.as_deref().unwrap_or(&event.producer));
        if let Some(ip) = &self.source_ip {
            write_list(principal.plain_key("ip"), ip);
        }
        if event_type != EventType::UserLogin {
            self.write_user(&mut principal);
        }
    }

    /// Of a login, the user is the target.
    fn write_target(&self, udm: &mut Object<'_>, event_type: EventType) {
        let is_login = event_type == EventType::UserLogin;
        if self.resource.is_none() && self.tool_server.is_none() && !is_login {
            return;
        }
        let mut target = udm.object("target");
        if let Some(server) = &self.tool_server {
            target.string("application", server);
        }
        if is_login {
            self.write_user(&mut target);
        }
        if let Some((name, kind)) = &self.resource {
            let mut resource = target.object("resource");
            resource.string("name", name);
            resource.string("resourceSubtype", kind);
        }
    }

    fn write_user(&self, party: &mut Object<'_>) {
        if self.user_id.is_none() && self.user_email.is_none() && self.user_name.is_none() {
            return;
        }
        let mut user = party.object("user");
        if let Some(id) = &self.user_id {
            user.string("userid", id);
        }
        if let Some(email) = &self.user_email {
            write_list(user.plain_key("emailAddresses"), email);
        }
        if let Some(name) = &self.user_name {
            user.string("userDisplayName", name);
        }
    }
}

fn write_security_result(out: &mut Writer, event: &Event, facts: &Facts<'_>) {
    out.raw("[");
    {
        let mut result = out.object();
        result
            .string("severity", event.severity.pick(["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]));
        // Nothing was decided about what was only noticed.
        let action = facts.decision().pick([
            "ALLOW",
            "BLOCK",
            "ALLOW_WITH_MODIFICATION",
            "UNKNOWN_ACTION",
            "FAIL",
            "UNKNOWN_ACTION",
        ]);
        write_list(result.plain_key("action"), action);
        if let Some(outcome) = facts.text(Fact::Outcome) {
            result.string("actionDetails", &outcome);
        }
        let (rule, policy) = (facts.text(Fact::Rule), facts.text(Fact::Policy));
        if let Some(name) = rule.as_ref().or(policy.as_ref()) {
            result.string("ruleName", name);
        }
        if let Some(policy) = &policy {
            result.string("ruleSet", policy);
        }
        result.string("summary", &facts.text(Fact::Reason).unwrap_or(Cow::Borrowed(&event.event_type)));
    }
    out.raw("]");
}

fn write_additional(object: Object<'_>, event: &Event, outline: &Outline<'_>) {
    let mut additional = Additional::begin(object);
    additional.field("siemaphore.organization", &event.organization);
    if let Some(project) = &event.project {
        additional.field("siemaphore.project", project);
    }
    additional.field("siemaphore.source", &event.source);
    additional.field("siemaphore.event_id", &event.id);
    additional.document(outline);
}

fn write_list(out: &mut Writer, only: &str) {
    out.raw("[");
    out.string(only);
    out.raw("]");
}

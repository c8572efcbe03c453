//! The profile `ai_operation` of release 1.8.0: the model and what it read and wrote. Agents came with 1.9.0.

use siemaphore_sdk::Event;
use siemaphore_sdk::facts::{Fact, Facts};
use siemaphore_sdk::json::Object;

use crate::class::Class;
use crate::settings::SchemaVersion;

/// Whether an event has anything to say there. Findings do not have the profile.
pub(crate) fn applies(class: Class, facts: &Facts<'_>, version: SchemaVersion) -> bool {
    version >= SchemaVersion::V1_8 && class == Class::ApiActivity && facts.text(Fact::Model).is_some()
}

pub(crate) fn write(record: &mut Object<'_>, event: &Event, facts: &Facts<'_>) {
    let Some(model) = facts.text(Fact::Model) else { return };
    {
        let mut ai_model = record.object("ai_model");
        ai_model.string("ai_provider", provider(&model));
        ai_model.string("name", &model);
    }
    let mut context = record.object("message_context");
    // One of application and service is required.
    context.object("service").string("name", &event.source);
    if let Some(agent) = facts.text(Fact::AgentName).or_else(|| facts.text(Fact::AgentId)) {
        context.object("application").string("name", &agent);
    }
    if let Some(session) = facts.text(Fact::SessionId) {
        context.string("uid", &session);
    }
    let tokens = [("prompt_tokens", Fact::InputTokens), ("completion_tokens", Fact::OutputTokens)];
    for (name, fact) in tokens {
        if let Some(count) = facts.number(fact) {
            context.unsigned(name, count);
        }
    }
}

/// Required beside the model, and hardly a producer names it.
fn provider(model: &str) -> &'static str {
    let model = model.to_ascii_lowercase();
    let known = [
        ("gpt", "OpenAI"),
        ("claude", "Anthropic"),
        ("gemini", "Google"),
        ("mistral", "Mistral AI"),
        ("llama", "Meta"),
    ];
    known.into_iter().find(|(part, _)| model.contains(part)).map_or("Unknown", |(_, provider)| provider)
}

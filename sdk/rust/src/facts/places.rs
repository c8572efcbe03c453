//! Where facts stand in a document: the producers' own places first, then the names that most producers use.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::SettingProblem;

/// Something to know about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    UserId,
    /// Only a text with an `@`.
    UserEmail,
    UserName,
    /// The producer's own word; [`Facts::decision`](super::Facts::decision) says what it means.
    Outcome,
    /// The policy under which it was decided.
    Policy,
    /// The rule of the policy that matched.
    Rule,
    /// A sentence for people.
    Reason,
    /// The tool or function that an agent called.
    Tool,
    /// Where the tool runs.
    ToolServer,
    AgentId,
    AgentName,
    /// The language model.
    Model,
    SessionId,
    RequestId,
    /// Only what looks like an address: most SIEMs refuse a record with another text in an address's place.
    SourceIp,
    InputTokens,
    OutputTokens,
}

/// JSON Pointers into the document, such as `/identity/email`, for facts that stand elsewhere than usual. By default
/// those that suit the producer. Empty: nowhere.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FactPlaces {
    pub user_id: Option<String>,
    pub user_email: Option<String>,
    pub user_name: Option<String>,
    /// The decision in the producer's words: blocked, allowed, redacted.
    pub outcome: Option<String>,
    pub policy: Option<String>,
    /// The rule of the policy that matched.
    pub rule: Option<String>,
    /// A sentence for people.
    pub reason: Option<String>,
    pub tool: Option<String>,
    pub tool_server: Option<String>,
    pub agent_id: Option<String>,
    pub agent_name: Option<String>,
    /// The language model.
    pub model: Option<String>,
    pub session_id: Option<String>,
    pub request_id: Option<String>,
    pub source_ip: Option<String>,
    pub input_tokens: Option<String>,
    pub output_tokens: Option<String>,
}

impl FactPlaces {
    pub(super) fn get(&self, fact: Fact) -> Option<&str> {
        self.all().into_iter().find(|(one, _, _)| *one == fact).and_then(|(_, _, pointer)| pointer.as_deref())
    }

    /// What is wrong with the pointers. `setting` is the name under which the places stand in the settings.
    pub fn problems(&self, setting: &str) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        for (_, name, pointer) in self.all() {
            let Some(pointer) = pointer.as_deref().filter(|pointer| !pointer.is_empty()) else { continue };
            if !pointer.starts_with('/') {
                let message =
                    format!("{pointer:?} is not a JSON Pointer: begin with /, as in /identity/email");
                problems.push(SettingProblem::at([setting, name], message));
            }
        }
        problems
    }

    pub(super) fn all(&self) -> [(Fact, &'static str, &Option<String>); 17] {
        [
            (Fact::UserId, "user_id", &self.user_id),
            (Fact::UserEmail, "user_email", &self.user_email),
            (Fact::UserName, "user_name", &self.user_name),
            (Fact::Outcome, "outcome", &self.outcome),
            (Fact::Policy, "policy", &self.policy),
            (Fact::Rule, "rule", &self.rule),
            (Fact::Reason, "reason", &self.reason),
            (Fact::Tool, "tool", &self.tool),
            (Fact::ToolServer, "tool_server", &self.tool_server),
            (Fact::AgentId, "agent_id", &self.agent_id),
            (Fact::AgentName, "agent_name", &self.agent_name),
            (Fact::Model, "model", &self.model),
            (Fact::SessionId, "session_id", &self.session_id),
            (Fact::RequestId, "request_id", &self.request_id),
            (Fact::SourceIp, "source_ip", &self.source_ip),
            (Fact::InputTokens, "input_tokens", &self.input_tokens),
            (Fact::OutputTokens, "output_tokens", &self.output_tokens),
        ]
    }
}

impl Fact {
    pub const ALL: [Fact; 17] = [
        Fact::UserId,
        Fact::UserEmail,
        Fact::UserName,
        Fact::Outcome,
        Fact::Policy,
        Fact::Rule,
        Fact::Reason,
        Fact::Tool,
        Fact::ToolServer,
        Fact::AgentId,
        Fact::AgentName,
        Fact::Model,
        Fact::SessionId,
        Fact::RequestId,
        Fact::SourceIp,
        Fact::InputTokens,
        Fact::OutputTokens,
    ];

    /// The fact's name in settings: `user_id`.
    pub fn name(self) -> &'static str {
        let places = FactPlaces::default();
        places.all().into_iter().find(|(fact, _, _)| *fact == self).map_or("", |(_, name, _)| name)
    }

    /// The fact that settings call so.
    pub fn named(name: &str) -> Option<Fact> {
        Fact::ALL.into_iter().find(|fact| fact.name() == name)
    }

    /// Whether a value can be this fact. Many producers write an address into the field of an id.
    pub(super) fn admits(self, value: &str) -> bool {
        match self {
            Fact::UserEmail => value.contains('@'),
            Fact::SourceIp => value.trim_matches('"').parse::<std::net::IpAddr>().is_ok(),
            _ => true,
        }
    }
}

/// Where a producer's documents have a fact, the likeliest place first.
pub(super) fn of(producer: &str, fact: Fact) -> impl Iterator<Item = &'static str> {
    of_producer(producer, fact).iter().chain(usual(fact)).copied()
}

fn of_producer(producer: &str, fact: Fact) -> &'static [&'static str] {
    match producer {
        "aegis" => aegis(fact),
        "aisg" => aisg(fact),
        "authos" => authos(fact),
        "cloudevents" => cloudevents(fact),
        "ocsf" => ocsf(fact),
        "otlp" => otlp(fact),
        "systemprompt" => systemprompt(fact),
        // Keeptrusts and the producers without a profile use the usual names.
        _ => &[],
    }
}

fn aegis(fact: Fact) -> &'static [&'static str] {
    match fact {
        Fact::UserId | Fact::UserEmail => &["/aegis/actor_id"],
        Fact::Outcome => &["/aegis/decision"],
        Fact::Policy => &["/aegis/policy_id"],
        Fact::Reason => &["/aegis/summary"],
        Fact::RequestId => &["/aegis/preflight_id"],
        _ => &[],
    }
}

fn aisg(fact: Fact) -> &'static [&'static str] {
    match fact {
        Fact::UserId => &["/details/user_id"],
        Fact::Outcome => &["/details/action"],
        Fact::Model => &["/details/model"],
        _ => &[],
    }
}

fn authos(fact: Fact) -> &'static [&'static str] {
    match fact {
        Fact::UserId => &["/actor_user_id"],
        Fact::SessionId => &["/details/session_id"],
        Fact::Reason => &["/details/reason"],
        _ => &[],
    }
}

/// The event inside `data`: that of a producer known here, or one with the usual names.
fn cloudevents(fact: Fact) -> &'static [&'static str] {
    match fact {
        Fact::UserId => &[
            "/data/identity/user_id",
            "/data/user/id",
            "/data/user_id",
            "/data/aegis/actor_id",
            "/data/details/user_id",
            "/data/actor_user_id",
            "/data/actor/id",
            "/data/actor_id",
        ],
        Fact::UserEmail => &[
            "/data/identity/email",
            "/data/user/email",
            "/data/user_email",
            "/data/email",
            "/data/aegis/actor_id",
            "/data/actor_email",
            "/data/actor/email",
            "/data/user",
            "/data/user_id",
        ],
        Fact::UserName => &["/data/user/name", "/data/user_name", "/data/username", "/data/actor/name"],
        Fact::Outcome => &[
            "/data/governance/result",
            "/data/aegis/decision",
            "/data/details/action",
            "/data/outcome",
            "/data/decision",
            "/data/action",
            "/data/result",
            "/data/status",
        ],
        Fact::Policy => {
            &["/data/policy_name", "/data/aegis/policy_id", "/data/policy/name", "/data/policy_id"]
        }
        Fact::Rule => &["/data/governance/matched_rule", "/data/rule/name", "/data/rule_name", "/data/rule"],
        Fact::Reason => &["/data/reason", "/data/aegis/summary", "/data/message", "/data/summary"],
        Fact::Tool => &["/data/tool_call/tool_name", "/data/tool_name", "/data/tool/name", "/data/tool"],
        Fact::ToolServer => &["/data/tool_call/tool_server", "/data/tool_server"],
        Fact::AgentId => &["/data/agent/agent_id", "/data/agent_id", "/data/agent/id"],
        Fact::AgentName => &["/data/agent/agent_name", "/data/agent_name", "/data/agent/name"],
        Fact::Model => &["/data/agent/model", "/data/details/model", "/data/model"],
        Fact::SessionId => &["/data/agent/session_id", "/data/session_id", "/data/session/id"],
        Fact::RequestId => {
            &["/data/request_id", "/data/aegis/preflight_id", "/data/requestId", "/data/trace_id"]
        }
        Fact::SourceIp => &["/data/source_ip", "/data/client_ip", "/data/ip_address", "/data/source/ip"],
        Fact::InputTokens => &["/data/cost/input_tokens", "/data/input_tokens", "/data/usage/input_tokens"],
        Fact::OutputTokens => {
            &["/data/cost/output_tokens", "/data/output_tokens", "/data/usage/output_tokens"]
        }
    }
}

fn ocsf(fact: Fact) -> &'static [&'static str] {
    match fact {
        Fact::UserId => &["/actor/user/uid", "/user/uid"],
        Fact::UserEmail => &["/actor/user/email_addr", "/user/email_addr", "/actor/user/name"],
        Fact::UserName => &["/actor/user/name", "/user/name"],
        // What was done about it; a class without it says whether it worked.
        Fact::Outcome => &["/disposition", "/action", "/status"],
        Fact::Policy => &["/policy/name", "/policy/uid"],
        Fact::Rule => &["/finding_info/analytic/name", "/firewall_rule/name", "/policy/uid"],
        Fact::Reason => &["/finding_info/title", "/message", "/status_detail"],
        Fact::Tool => &["/api/operation"],
        Fact::ToolServer => &["/api/service/name"],
        Fact::AgentId => &["/ai_agent/uid"],
        Fact::AgentName => &["/ai_agent/name"],
        Fact::Model => &["/ai_model/name"],
        Fact::SessionId => &["/actor/session/uid", "/session/uid"],
        Fact::RequestId => &["/metadata/correlation_uid", "/api/request/uid"],
        Fact::SourceIp => &["/src_endpoint/ip"],
        Fact::InputTokens => &["/message_context/prompt_tokens"],
        Fact::OutputTokens => &["/message_context/completion_tokens"],
    }
}

/// Attributes by their names in the semantic conventions, then a body that is an event of its own.
fn otlp(fact: Fact) -> &'static [&'static str] {
    match fact {
        Fact::UserId => &[
            "/attributes/user.id",
            "/attributes/enduser.id",
            "/attributes/user_id",
            "/body/identity/user_id",
            "/body/user_id",
        ],
        Fact::UserEmail => &["/attributes/user.email", "/attributes/user_email", "/body/identity/email"],
        Fact::UserName => &["/attributes/user.name", "/attributes/user.full_name", "/body/user_name"],
        Fact::Outcome => &[
            "/attributes/outcome",
            "/attributes/event.outcome",
            "/attributes/decision",
            "/attributes/action",
            "/body/governance/result",
            "/body/outcome",
            "/body/decision",
            "/body/action",
            "/body/details/action",
        ],
        Fact::Policy => &[
            "/attributes/policy.name",
            "/attributes/policy_name",
            "/attributes/policy.id",
            "/body/policy_name",
        ],
        Fact::Rule => &[
            "/attributes/security_rule.name",
            "/attributes/rule.name",
            "/attributes/matched_rule",
            "/body/governance/matched_rule",
        ],
        Fact::Reason => &["/attributes/reason", "/body/reason", "/body/message", "/body"],
        Fact::Tool => &[
            "/attributes/gen_ai.tool.name",
            "/attributes/tool_name",
            "/attributes/tool.name",
            "/body/tool_call/tool_name",
            "/body/tool_name",
        ],
        Fact::ToolServer => &["/attributes/server.address", "/body/tool_call/tool_server"],
        Fact::AgentId => &["/attributes/gen_ai.agent.id", "/attributes/agent_id", "/body/agent/agent_id"],
        Fact::AgentName => {
            &["/attributes/gen_ai.agent.name", "/attributes/agent_name", "/body/agent/agent_name"]
        }
        Fact::Model => &[
            "/attributes/gen_ai.response.model",
            "/attributes/gen_ai.request.model",
            "/attributes/model",
            "/body/agent/model",
            "/body/details/model",
            "/body/model",
        ],
        Fact::SessionId => &[
            "/attributes/session.id",
            "/attributes/gen_ai.conversation.id",
            "/attributes/session_id",
            "/body/agent/session_id",
            "/body/session_id",
        ],
        Fact::RequestId => &["/attributes/request_id", "/body/request_id", "/trace_id"],
        Fact::SourceIp => &["/attributes/client.address", "/attributes/source.address", "/body/source_ip"],
        Fact::InputTokens => &["/attributes/gen_ai.usage.input_tokens", "/body/cost/input_tokens"],
        Fact::OutputTokens => &["/attributes/gen_ai.usage.output_tokens", "/body/cost/output_tokens"],
    }
}

fn systemprompt(fact: Fact) -> &'static [&'static str] {
    match fact {
        Fact::UserId => &["/identity/user_id"],
        Fact::UserEmail => &["/identity/email"],
        Fact::Outcome => &["/governance/result"],
        Fact::Rule => &["/governance/matched_rule"],
        Fact::Tool => &["/tool_call/tool_name"],
        Fact::ToolServer => &["/tool_call/tool_server"],
        Fact::AgentId => &["/agent/agent_id"],
        Fact::AgentName => &["/agent/agent_name"],
        Fact::Model => &["/agent/model"],
        Fact::SessionId => &["/agent/session_id"],
        Fact::InputTokens => &["/cost/input_tokens"],
        Fact::OutputTokens => &["/cost/output_tokens"],
        _ => &[],
    }
}

/// The names that most producers use, among them those of ECS and of OpenTelemetry.
fn usual(fact: Fact) -> &'static [&'static str] {
    match fact {
        Fact::UserId => {
            &["/user/id", "/user_id", "/userId", "/actor/id", "/actor_id", "/identity/user_id", "/user.id"]
        }
        Fact::UserEmail => &[
            "/user/email",
            "/user_email",
            "/email",
            "/actor/email",
            "/actor_email",
            "/user",
            "/actor",
            "/user_id",
        ],
        Fact::UserName => {
            &["/user/name", "/user_name", "/username", "/userName", "/actor/name", "/user.name"]
        }
        Fact::Outcome => {
            &["/outcome", "/decision", "/event/outcome", "/action", "/result", "/status", "/verdict"]
        }
        Fact::Policy => &["/policy_name", "/policy/name", "/policy_id", "/policy/id", "/policy", "/ruleset"],
        Fact::Rule => &["/rule/name", "/rule_name", "/rule/id", "/rule_id", "/matched_rule", "/rule"],
        Fact::Reason => &["/reason", "/event/reason", "/message", "/summary", "/description", "/msg"],
        Fact::Tool => &["/tool_name", "/tool/name", "/tool", "/gen_ai.tool.name", "/gen_ai/tool/name"],
        Fact::ToolServer => &["/tool_server", "/tool/server", "/mcp_server", "/server_name"],
        Fact::AgentId => &["/agent_id", "/agent/id", "/gen_ai.agent.id", "/gen_ai/agent/id"],
        Fact::AgentName => &["/agent_name", "/agent/name", "/gen_ai.agent.name", "/gen_ai/agent/name"],
        Fact::Model => &["/model", "/model_name", "/gen_ai.request.model", "/gen_ai/request/model"],
        Fact::SessionId => &["/session_id", "/sessionId", "/session/id", "/session.id", "/conversation_id"],
        Fact::RequestId => {
            &["/request_id", "/requestId", "/request/id", "/http/request/id", "/trace_id", "/traceId"]
        }
        Fact::SourceIp => {
            &["/source_ip", "/client_ip", "/ip_address", "/ip", "/source/ip", "/client/ip", "/clientIp"]
        }
        Fact::InputTokens => {
            &["/input_tokens", "/usage/input_tokens", "/usage/prompt_tokens", "/gen_ai.usage.input_tokens"]
        }
        Fact::OutputTokens => &[
            "/output_tokens",
            "/usage/output_tokens",
            "/usage/completion_tokens",
            "/gen_ai.usage.output_tokens",
        ],
    }
}

//! What an operator can set, and what Splunk would refuse.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::{SettingProblem, Severity};

/// How events look in Splunk. Everything has a default that suits the event's producer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The `host` of every event. By default the name of the source that the event came through.
    pub host: Option<String>,
    /// The `source` of every event. By default the name of the producer.
    pub source: Option<String>,
    /// The `sourcetype` of every event. By default the one that the producer documents, else `_json`.
    pub sourcetype: Option<String>,
    /// The index to write to. Empty: the default index of the token. By default the index that the producer documents,
    /// else the default index of the token.
    pub index: Option<String>,
    /// Count events as delivered when Splunk has indexed them, not when it has received them. The token needs indexer
    /// acknowledgement, and a load balancer on the way needs sticky sessions by cookie.
    pub indexer_acknowledgement: bool,
    /// How five severities become Splunk's levels from 1 to 6.
    pub severity_levels: SeverityLevels,
    /// What we know about an event that becomes an indexed field. A field that the document has too under the same
    /// name shows both values in searches: leave it out here if that disturbs.
    pub indexed_fields: IndexedFields,
    /// More indexed fields with fixed values, the same for all events.
    pub fields: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SeverityLevels {
    /// A level of its own for each severity: 2, 3, 4, 5, 6.
    #[default]
    Distinct,
    /// The meaning that Splunk gives its alert levels, where low and medium are both a warning: 2, 3, 3, 5, 6.
    Alert,
}

impl SeverityLevels {
    pub fn level(self, severity: Severity) -> u64 {
        match self {
            SeverityLevels::Distinct => severity.pick([2, 3, 4, 5, 6]),
            SeverityLevels::Alert => severity.pick([2, 3, 3, 5, 6]),
        }
    }
}

/// Each is written unless it is switched off.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IndexedFields {
    /// `severity`: informational, low, medium, high or critical.
    pub severity: bool,
    /// `severity_id`: the level, from 1 to 6.
    pub severity_id: bool,
    /// `event_type`.
    pub event_type: bool,
    /// `event_key`: the identity of the event, to find repeated deliveries with `dedup event_key`.
    pub event_key: bool,
    /// `organization`.
    pub organization: bool,
    /// `project`, where the event has one.
    pub project: bool,
    /// `producer`.
    pub producer: bool,
}

impl Default for IndexedFields {
    fn default() -> IndexedFields {
        IndexedFields {
            severity: true,
            severity_id: true,
            event_type: true,
            event_key: true,
            organization: true,
            project: true,
            producer: true,
        }
    }
}

const OWN_FIELDS: [&str; 7] =
    ["severity", "severity_id", "event_type", "event_key", "organization", "project", "producer"];

impl Settings {
    pub fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        for (name, value) in
            [("host", &self.host), ("source", &self.source), ("sourcetype", &self.sourcetype)]
        {
            if value.as_deref().is_some_and(|value| value.trim().is_empty()) {
                let message = format!("{name} is empty: leave it out for its default");
                problems.push(SettingProblem::at([name], message));
            }
        }
        if let Some(index) = &self.index
            && !is_index_name(index)
        {
            let message = format!(
                "{index:?} cannot be an index: use lowercase letters, digits, `_` and `-`, a letter or digit first"
            );
            problems.push(SettingProblem::at(["index"], message));
        }
        for name in self.fields.keys() {
            let reason = if name.is_empty() {
                "a field needs a name"
            } else if OWN_FIELDS.contains(&name.as_str()) {
                "this field is written from the event: choose another name"
            } else {
                continue;
            };
            problems.push(SettingProblem::at(["fields", name], reason));
        }
        problems
    }
}

/// Splunk's rule for event indexes. An empty name stands for the token's default.
fn is_index_name(name: &str) -> bool {
    !name.starts_with(['_', '-'])
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
}

//! What an operator can set, and what Loki would refuse.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::facts::FactPlaces;
use siemaphore_sdk::{Event, SettingProblem};

/// How events look in Loki.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The tenant, sent in the header X-Scope-OrgID. May hold {organization}. Leave it out for Grafana Cloud and for a
    /// Loki without tenants.
    pub tenant: Option<String>,
    /// Labels with fixed values.
    pub labels: BTreeMap<String, String>,
    /// Labels from the event. Every combination of values is a stream of its own, so name only what has few.
    pub event_labels: Vec<Label>,
    /// Send what is known of an event as structured metadata. Loki before 3.0 refuses it unless it is allowed there.
    pub structured_metadata: bool,
    /// How old lines may be in hours: the `reject_old_samples_max_age` of this Loki. 0: of any age.
    pub max_age_hours: u32,
    /// Where events have what the structured metadata repeat, when it is elsewhere than usual.
    pub fields: FactPlaces,
}

/// What of an event can be a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// info, warn, error or critical.
    Level,
    /// informational, low, medium, high or critical.
    Severity,
    Producer,
    Source,
    Organization,
    Project,
    EventType,
}

impl Label {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Label::Level => "level",
            Label::Severity => "severity",
            Label::Producer => "producer",
            Label::Source => "source",
            Label::Organization => "organization",
            Label::Project => "project",
            Label::EventType => "event_type",
        }
    }

    pub(crate) fn value(self, event: &Event) -> Option<&str> {
        match self {
            Label::Level => Some(event.severity.pick(["info", "info", "warn", "error", "critical"])),
            Label::Severity => Some(event.severity.as_str()),
            Label::Producer => Some(&event.producer),
            Label::Source => Some(&event.source),
            Label::Organization => Some(&event.organization),
            Label::Project => event.project.as_deref(),
            Label::EventType => Some(&event.event_type),
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            tenant: None,
            labels: BTreeMap::from([("service_name".to_owned(), "siemaphore".to_owned())]),
            event_labels: vec![Label::Organization, Label::Producer, Label::Level],
            structured_metadata: true,
            max_age_hours: 168,
            fields: FactPlaces::default(),
        }
    }
}

/// Loki's defaults.
const MOST_LABELS: usize = 15;
const LONGEST_NAME: usize = 1_024;
pub(crate) const LONGEST_VALUE: usize = 2_048;

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        if self
            .tenant
            .as_deref()
            .is_some_and(|tenant| tenant.trim().is_empty() || tenant.contains(char::is_control))
        {
            let message = "the tenant cannot be a header: leave it out, or name it";
            problems.push(SettingProblem::at(["tenant"], message));
        }
        for (name, value) in &self.labels {
            if let Some(message) = self.problem_with_label(name, value) {
                problems.push(SettingProblem::at(["labels", name], message));
            }
        }
        let mut seen = BTreeSet::new();
        for (place, label) in self.event_labels.iter().enumerate() {
            if !seen.insert(label) {
                let message = format!("{} is there twice", label.name());
                problems.push(SettingProblem::at(["event_labels", &place.to_string()], message));
            }
        }
        let labels = self.labels.len() + self.event_labels.len();
        if self.labels.is_empty() {
            let message = "Loki needs a label: give one, such as service_name";
            problems.push(SettingProblem::at(["labels"], message));
        } else if labels > MOST_LABELS {
            let message =
                format!("{labels} labels are too many with those of event_labels: Loki takes {MOST_LABELS}");
            problems.push(SettingProblem::at(["labels"], message));
        }
        problems.extend(self.fields.problems("fields"));
        problems
    }

    fn problem_with_label(&self, name: &str, value: &str) -> Option<String> {
        if !is_label_name(name) {
            return Some(format!(
                "{name:?} cannot be a label: use letters, digits and `_`, no digit first, at most {LONGEST_NAME}"
            ));
        }
        if self.event_labels.iter().any(|label| label.name() == name) {
            return Some(format!(
                "{name} comes from the event: take it out of event_labels, or choose another name"
            ));
        }
        if value.trim().is_empty() {
            return Some("Loki drops a label without a value: give one".to_owned());
        }
        (value.len() > LONGEST_VALUE)
            .then(|| format!("the value is too long: Loki takes {LONGEST_VALUE} bytes"))
    }
}

fn is_label_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

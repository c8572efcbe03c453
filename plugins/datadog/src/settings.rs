//! What an operator can set, and what Datadog could not use.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::SettingProblem;

/// How events look in Datadog. Everything has a default that suits the event's producer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `ddsource`, which selects the log pipeline. By default the name of the producer.
    pub ddsource: Option<String>,
    /// `hostname`. By default the one that the producer documents, else the name of the source that the event came
    /// through.
    pub hostname: Option<String>,
    /// `service`. By default the project of the event, else the name of the producer.
    pub service: Option<String>,
    /// The tag `env`. Empty: no such tag.
    pub environment: String,
    /// More tags for all events, each as `key:value`.
    pub tags: Vec<String>,
    /// Where the document has the values of standard attributes.
    pub attributes: Attributes,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            ddsource: None,
            hostname: None,
            service: None,
            environment: "production".to_owned(),
            tags: Vec::new(),
            attributes: Attributes::default(),
        }
    }
}

/// JSON Pointers into the document, such as `/identity/email`. By default those that suit the producer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Attributes {
    /// `usr.email`.
    pub usr_email: Option<String>,
    /// `usr.id`.
    pub usr_id: Option<String>,
    /// `evt.name`. The event type, where the document has nothing there.
    pub evt_name: Option<String>,
    /// `evt.outcome`.
    pub evt_outcome: Option<String>,
}

/// Datadog keeps 100 tags of a log; two are ours.
const MOST_TAGS: usize = 98;
const LONGEST_TAG: usize = 200;

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        for (name, value) in
            [("ddsource", &self.ddsource), ("hostname", &self.hostname), ("service", &self.service)]
        {
            if value.as_deref().is_some_and(|value| value.trim().is_empty()) {
                let message = format!("{name} is empty: leave it out for its default");
                problems.push(SettingProblem::at([name], message));
            }
        }
        if !is_tag(&self.environment) && !self.environment.is_empty() {
            let message = format!("{:?} cannot be a tag: use no commas and no spaces", self.environment);
            problems.push(SettingProblem::at(["environment"], message));
        }
        if self.tags.len() > MOST_TAGS {
            let message = format!(
                "{} tags are too many: Datadog keeps {MOST_TAGS} beside env and service",
                self.tags.len()
            );
            problems.push(SettingProblem::at(["tags"], message));
        }
        for (place, tag) in self.tags.iter().enumerate() {
            if !is_tag(tag) {
                let message =
                    format!("{tag:?} cannot be a tag: write key:value with no commas and no spaces");
                problems.push(SettingProblem::at(["tags", &place.to_string()], message));
            }
        }
        problems.extend(self.attributes.problems());
        problems
    }
}

impl Attributes {
    fn problems(&self) -> impl Iterator<Item = SettingProblem> {
        let pointers = [
            ("usr_email", &self.usr_email),
            ("usr_id", &self.usr_id),
            ("evt_name", &self.evt_name),
            ("evt_outcome", &self.evt_outcome),
        ];
        pointers.into_iter().filter_map(|(name, pointer)| {
            let pointer = pointer.as_deref().filter(|pointer| !pointer.starts_with('/'))?;
            let message = format!("{pointer:?} is not a JSON Pointer: begin with /, as in /identity/email");
            Some(SettingProblem::at(["attributes", name], message))
        })
    }
}

fn is_tag(tag: &str) -> bool {
    !tag.is_empty()
        && tag.len() <= LONGEST_TAG
        && !tag.contains([',', ' '])
        && !tag.contains(char::is_control)
}

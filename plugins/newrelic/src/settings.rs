//! What an operator can set, and what New Relic would drop.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::SettingProblem;
use siemaphore_sdk::facts::FactPlaces;

use crate::attributes::{LONGEST_NAME_CHARACTERS, is_reserved};

/// How logs look in New Relic. Everything has a default that suits the event's producer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `logtype`, by which New Relic chooses its parsing rules. By default `<producer>.security`.
    pub logtype: Option<String>,
    /// `service.name`. By default the project, else the producer.
    pub service: Option<String>,
    /// Attributes with fixed values, the same for all logs; at most 20.
    pub attributes: BTreeMap<String, String>,
    /// Where events have what the attributes `siemaphore.*` repeat, when it is elsewhere than usual.
    pub fields: FactPlaces,
}

/// They take the places of attributes that differ from log to log.
const MOST_ATTRIBUTES: usize = 20;
const LONGEST_VALUE_CHARACTERS: usize = 1_000;

/// Written for every log.
const OWN: [&str; 6] = ["logtype", "service.name", "level", "severity", "event_type", "event_key"];

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        for (name, value) in [("logtype", &self.logtype), ("service", &self.service)] {
            if value.as_deref().is_some_and(|value| value.trim().is_empty()) {
                let message = format!("{name} is empty: leave it out for its default");
                problems.push(SettingProblem::at([name], message));
            }
        }
        if self.attributes.len() > MOST_ATTRIBUTES {
            let message = format!("{} are too many: give at most {MOST_ATTRIBUTES}", self.attributes.len());
            problems.push(SettingProblem::at(["attributes"], message));
        }
        for (name, value) in &self.attributes {
            if let Some(message) = problem(name, value) {
                problems.push(SettingProblem::at(["attributes", name], message));
            }
        }
        problems.extend(self.fields.problems("fields"));
        problems
    }
}

fn problem(name: &str, value: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("an attribute needs a name".to_owned());
    }
    if name.chars().count() > LONGEST_NAME_CHARACTERS {
        return Some(format!("the name is too long: New Relic takes {LONGEST_NAME_CHARACTERS} characters"));
    }
    if is_reserved(name) {
        return Some(format!("{name:?} is New Relic's own: choose another name"));
    }
    if OWN.contains(&name) || name.starts_with("siemaphore.") {
        return Some(format!("{name:?} is written from the event: choose another name"));
    }
    let characters = value.chars().count();
    (characters > LONGEST_VALUE_CHARACTERS)
        .then(|| format!("{characters} characters are too many: give at most {LONGEST_VALUE_CHARACTERS}"))
}

//! What an operator may say about the resource that logs belong to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::SettingProblem;
use siemaphore_sdk::facts::FactPlaces;

/// How events become log records.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `service.name` of the resource. By default the producer's name.
    pub service_name: Option<String>,
    /// More attributes of the resource, with fixed values: `deployment.environment.name`, `service.namespace`.
    pub resource: BTreeMap<String, String>,
    /// Where the facts behind the semantic-convention attributes stand in the document.
    pub fields: FactPlaces,
}

/// Attributes of the resource that are written from the event.
const OURS: [&str; 4] =
    ["siemaphore.organization", "siemaphore.producer", "siemaphore.project", "siemaphore.source"];

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = self.fields.problems("fields");
        if self.service_name.as_deref().is_some_and(|name| name.trim().is_empty()) {
            let message = "service_name is empty: leave it out for the producer's name";
            problems.push(SettingProblem::at(["service_name"], message));
        }
        for key in self.resource.keys() {
            let message = match key.as_str() {
                "" => "an attribute needs a name, such as deployment.environment.name".to_owned(),
                "service.name" => "give service.name as the setting service_name".to_owned(),
                key if OURS.contains(&key) => {
                    format!("{key} is written from each event: choose another name")
                }
                _ => continue,
            };
            problems.push(SettingProblem::at(["resource", key], message));
        }
        problems
    }
}

//! What an operator can set, and what Sumo Logic would not understand.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::SettingProblem;
use siemaphore_sdk::facts::FactPlaces;

/// What Sumo Logic keeps of every message beside its text. What is left out is the HTTP source's own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `_sourceCategory`. May hold {organization}, {project} and {producer}: security/{producer}.
    pub category: Option<String>,
    /// `_sourceHost`. May hold the same.
    pub host: Option<String>,
    /// `_sourceName`. May hold the same.
    pub name: Option<String>,
    /// Fields with fixed values. Sumo Logic drops a field that its schema does not have: add it there first.
    pub sumo_fields: BTreeMap<String, String>,
    /// Where events have what `siemaphore` in each message repeats, when it is elsewhere than usual.
    pub fields: FactPlaces,
}

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        for (name, _, value) in self.metadata() {
            let Some(value) = value else { continue };
            if value.trim().is_empty() {
                let message = format!("{name} is empty: leave it out, and the source's own counts");
                problems.push(SettingProblem::at([name], message));
            } else if value.contains(char::is_control) {
                let message = format!("{value:?} cannot be a header: leave control characters out");
                problems.push(SettingProblem::at([name], message));
            }
        }
        for (name, value) in &self.sumo_fields {
            let is_unusable = |text: &str| {
                text.trim().is_empty() || text.contains([',', '=']) || text.contains(char::is_control)
            };
            if is_unusable(name) || is_unusable(value) {
                let message = format!(
                    "\"{name}={value}\" cannot be a field: name and value are not empty and have no comma and no ="
                );
                problems.push(SettingProblem::at(["sumo_fields", name], message));
            }
        }
        problems.extend(self.fields.problems("fields"));
        problems
    }

    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let metadata = self.metadata().into_iter();
        let mut headers: Vec<(String, String)> = metadata
            .filter_map(|(_, header, value)| value.clone().map(|value| (header.to_owned(), value)))
            .collect();
        if !self.sumo_fields.is_empty() {
            let fields: Vec<String> =
                self.sumo_fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.push(("X-Sumo-Fields".to_owned(), fields.join(",")));
        }
        headers
    }

    /// Setting, header and value.
    fn metadata(&self) -> [(&'static str, &'static str, &Option<String>); 3] {
        [
            ("category", "X-Sumo-Category", &self.category),
            ("host", "X-Sumo-Host", &self.host),
            ("name", "X-Sumo-Name", &self.name),
        ]
    }
}

//! What an operator can set.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::SettingProblem;
use siemaphore_sdk::facts::FactPlaces;

/// How events look in Logstash.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `tags` of every event, by which a pipeline's conditions tell these events from others. Those of the event come
    /// after them.
    pub tags: Vec<String>,
    /// Where events have what `siemaphore` in each event repeats, when it is elsewhere than usual.
    pub fields: FactPlaces,
}

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        for (place, tag) in self.tags.iter().enumerate() {
            if tag.trim().is_empty() {
                problems.push(SettingProblem::at(["tags", &place.to_string()], "a tag is not empty"));
            }
        }
        problems.extend(self.fields.problems("fields"));
        problems
    }
}

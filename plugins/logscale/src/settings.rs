//! What an operator can set.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::SettingProblem;
use siemaphore_sdk::facts::FactPlaces;

/// How events look in LogScale or Next-Gen SIEM.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The path of the HEC endpoint: the one that the connector's page shows in its URL.
    pub path: Path,
    /// The `sourcetype` of every event, which names a parser. By default the token's own parser, or the connector's.
    pub sourcetype: Option<String>,
    /// Where the document says who, what and why, for producers that say it in unusual places.
    pub fields: FactPlaces,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Path {
    #[default]
    #[serde(rename = "/services/collector")]
    ServicesCollector,
    #[serde(rename = "/api/v1/ingest/hec")]
    IngestHec,
}

impl Path {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Path::ServicesCollector => "/services/collector",
            Path::IngestHec => "/api/v1/ingest/hec",
        }
    }
}

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = self.fields.problems("fields");
        if self.sourcetype.as_deref().is_some_and(|sourcetype| sourcetype.trim().is_empty()) {
            let message = "sourcetype is empty: leave it out for the token's own parser";
            problems.push(SettingProblem::at(["sourcetype"], message));
        }
        problems
    }
}

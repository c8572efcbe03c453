//! What an operator can set, and what Elasticsearch would refuse.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::SettingProblem;
use siemaphore_sdk::facts::FactPlaces;

/// Where events go in Elasticsearch or OpenSearch.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The data stream, index or alias to write to. It may hold `{organization}` and `{producer}`, which become those
    /// of each event.
    pub target: String,
    /// Which of the two answers at the endpoint. They differ in how credentials are tested and in what is said about
    /// permissions.
    pub service: Service,
    /// An ingest pipeline to send events through. By default the one that the target's template names, if any.
    pub pipeline: Option<String>,
    /// Where the document says who, what and why, for producers that say it in unusual places.
    pub fields: FactPlaces,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    #[default]
    Elasticsearch,
    /// Also Amazon OpenSearch Service.
    Opensearch,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            target: "logs-siemaphore.security-default".to_owned(),
            service: Service::default(),
            pipeline: None,
            fields: FactPlaces::default(),
        }
    }
}

impl Service {
    /// What a client may ask that may do nothing else: asking for `/` takes a privilege of its own.
    pub(crate) fn who_am_i(self) -> &'static str {
        match self {
            Service::Elasticsearch => "/_security/_authenticate",
            Service::Opensearch => "/_plugins/_security/authinfo",
        }
    }
}

const LONGEST_NAME: usize = 255;
const PLACEHOLDERS: [&str; 2] = ["{organization}", "{producer}"];

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        if let Some(reason) = unusable(&self.target) {
            let message = format!("{:?} cannot be a data stream or index: {reason}", self.target);
            problems.push(SettingProblem::at(["target"], message));
        }
        if self.pipeline.as_deref().is_some_and(|pipeline| pipeline.trim().is_empty()) {
            let message = "pipeline is empty: leave it out for the target's own";
            problems.push(SettingProblem::at(["pipeline"], message));
        }
        problems.extend(self.fields.problems("fields"));
        problems
    }
}

/// Elasticsearch's rules for names, and why this one breaks them.
fn unusable(target: &str) -> Option<&'static str> {
    let name =
        PLACEHOLDERS.iter().fold(target.to_owned(), |name, placeholder| name.replace(placeholder, "x"));
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.contains(['{', '}']) {
        return Some("use no placeholders but {organization} and {producer}");
    }
    if name.chars().any(char::is_uppercase) {
        return Some("use lowercase letters");
    }
    if name.starts_with(['-', '_', '+', '.']) {
        return Some("begin with a letter or digit");
    }
    let forbidden = |character: char| {
        character.is_whitespace() || character.is_control() || r#"\/*?"<>|,#:%;"#.contains(character)
    };
    if name.contains(forbidden) {
        return Some("use letters, digits, `-`, `_` and `.`");
    }
    (name.len() > LONGEST_NAME).then_some("255 bytes are the most")
}

//! What an operator can set, and what PagerDuty could not use.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::SettingProblem;
use siemaphore_sdk::facts::FactPlaces;

use crate::deduplication::Part;

/// How alerts look, and which events share one. Everything has a default.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The name that an alert shows as its origin.
    pub client: String,
    /// Where that name links to.
    pub client_url: Option<String>,
    /// Events that agree in these values share one alert as long as it is open: `event_type`, `severity`, `source`,
    /// `producer`, `project`, `decision`, or a name from `fields` such as `user_id`. Empty: an alert for each event.
    pub alert_per: Vec<String>,
    /// Where documents have users, policies, tools and the like.
    pub fields: FactPlaces,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            client: "Siemaphore".to_owned(),
            client_url: None,
            alert_per: Vec::new(),
            fields: FactPlaces::default(),
        }
    }
}

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        if self.client.trim().is_empty() {
            problems
                .push(SettingProblem::at(["client"], "client is empty: leave it out, and it is Siemaphore"));
        }
        if let Some(url) = self.client_url.as_deref().filter(|url| !is_link(url)) {
            let message = format!("{url:?} is not a link: begin with https:// and leave spaces out");
            problems.push(SettingProblem::at(["client_url"], message));
        }
        for (place, name) in self.alert_per.iter().enumerate() {
            if let Err(message) = Part::named(name) {
                problems.push(SettingProblem::at(["alert_per", &place.to_string()], message));
            }
        }
        problems.extend(self.fields.problems("fields"));
        problems
    }
}

fn is_link(url: &str) -> bool {
    url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty())
        && !url.contains(|character: char| character.is_whitespace() || character.is_control())
}

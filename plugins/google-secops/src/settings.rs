//! Which instance the events go to, and what they say about where they come from.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::SettingProblem;
use siemaphore_sdk::facts::FactPlaces;

/// The instance of Google SecOps, as `projects/PROJECT/locations/LOCATION/instances/INSTANCE`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The id or the number of the Google Cloud project that is linked to the instance.
    pub project: String,
    /// The location of the instance, such as `us`, `eu` or `asia-southeast1`; the endpoint begins with the same.
    pub location: String,
    /// The customer id: a UUID, with its hyphens. It is in SecOps under SIEM Settings, Profile.
    pub instance: String,
    /// The version of the Chronicle API.
    #[serde(default)]
    pub api_version: ApiVersion,
    /// `metadata.vendorName`. By default the producer's name.
    #[serde(default)]
    pub vendor_name: Option<String>,
    /// `metadata.productName`. By default the producer's name.
    #[serde(default)]
    pub product_name: Option<String>,
    /// Where the facts behind the UDM fields stand in the document.
    #[serde(default)]
    pub fields: FactPlaces,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiVersion {
    #[default]
    V1,
    V1Beta,
    V1Alpha,
}

impl Settings {
    /// The path of the instance, on which all calls are made.
    pub(crate) fn instance_path(&self) -> String {
        let Settings { project, location, instance, .. } = self;
        let version = match self.api_version {
            ApiVersion::V1 => "v1",
            ApiVersion::V1Beta => "v1beta",
            ApiVersion::V1Alpha => "v1alpha",
        };
        format!("/{version}/projects/{project}/locations/{location}/instances/{instance}")
    }

    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = self.fields.problems("fields");
        if !is_name(&self.project) {
            let message = format!(
                "{:?} is no project: write its id (letters, digits and hyphens) or its number",
                self.project
            );
            problems.push(SettingProblem::at(["project"], message));
        }
        if !is_name(&self.location) {
            let message = format!("{:?} is no location: write us, eu, asia-southeast1, ...", self.location);
            problems.push(SettingProblem::at(["location"], message));
        }
        if !is_uuid(&self.instance) {
            let message = format!(
                "{:?} is no customer id: copy the UUID, with its hyphens, from SIEM Settings, Profile",
                self.instance
            );
            problems.push(SettingProblem::at(["instance"], message));
        }
        for (name, value) in [("vendor_name", &self.vendor_name), ("product_name", &self.product_name)] {
            if value.as_deref().is_some_and(|value| value.trim().is_empty()) {
                let message = format!("{name} is empty: leave it out for the producer's name");
                problems.push(SettingProblem::at([name], message));
            }
        }
        problems
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

//! What an operator can set, and what no collector could use.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::facts::FactPlaces;
use siemaphore_sdk::{Compression, Framing, Limits, RequestProfile, SettingProblem};

/// How events look in the collector. Everything has a default.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The release of the schema. 1.8.0 adds policies, alerts, and the profile `ai_operation` with models and tokens.
    pub schema_version: SchemaVersion,
    /// Which class an event becomes. A source of Security Lake takes a single one.
    pub class: ClassChoice,
    /// `metadata.product.name`. By default the name of the producer.
    pub product: Option<String>,
    /// `metadata.product.vendor_name`. By default the name of the producer.
    pub vendor: Option<String>,
    /// Appended to the endpoint. `/` adds nothing.
    pub path: String,
    /// How events are put into a request.
    pub framing: BodyFraming,
    /// The longest body in bytes, before compression. A longer event is given up.
    pub max_body_bytes: u32,
    /// Compress with gzip, where the collector takes it.
    pub gzip: bool,
    /// Where documents have users, policies, tools and the like.
    pub fields: FactPlaces,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
pub enum SchemaVersion {
    #[serde(rename = "1.3.0")]
    V1_3,
    #[serde(rename = "1.8.0")]
    V1_8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassChoice {
    /// Decisions against something and remarks about it are findings, the rest is activity.
    ByEvent,
    /// Always 2004.
    DetectionFinding,
    /// Always 6003.
    ApiActivity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyFraming {
    /// An event on each line.
    Lines,
    /// A JSON array of events.
    Array,
    /// A request for each event.
    OnePerRequest,
}

impl SchemaVersion {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SchemaVersion::V1_3 => "1.3.0",
            SchemaVersion::V1_8 => "1.8.0",
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            schema_version: SchemaVersion::V1_3,
            class: ClassChoice::ByEvent,
            product: None,
            vendor: None,
            path: "/".to_owned(),
            framing: BodyFraming::Lines,
            max_body_bytes: 1_000_000,
            gzip: false,
            fields: FactPlaces::default(),
        }
    }
}

const MOST_RECORDS: u32 = 1_000;
/// Less would leave no room for an ordinary event.
const LEAST_BODY_BYTES: u32 = 4_000;
/// What one call of a formatter may return.
const MOST_BODY_BYTES: u32 = 16 * 1024 * 1024;

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        for (name, value) in [("product", &self.product), ("vendor", &self.vendor)] {
            if value.as_deref().is_some_and(|value| value.trim().is_empty()) {
                let message = format!("{name} is empty: leave it out for its default");
                problems.push(SettingProblem::at([name], message));
            }
        }
        problems.extend(SettingProblem::unless_path("path", &self.path));
        let lengths = LEAST_BODY_BYTES..=MOST_BODY_BYTES;
        problems.extend(SettingProblem::unless_in(lengths, "max_body_bytes", self.max_body_bytes));
        problems.extend(self.fields.problems("fields"));
        problems
    }

    pub(crate) fn profile(&self) -> RequestProfile {
        let (framing, records, content_type) = match self.framing {
            BodyFraming::Lines => (Framing::Newline, MOST_RECORDS, "application/x-ndjson"),
            BodyFraming::Array => (Framing::JsonArray, MOST_RECORDS, "application/json"),
            BodyFraming::OnePerRequest => (Framing::OnePerRequest, 1, "application/json"),
        };
        let limits = Limits { records, body_bytes: self.max_body_bytes, record_bytes: self.max_body_bytes };
        RequestProfile {
            content_type: content_type.to_owned(),
            compression: if self.gzip { vec![Compression::Gzip] } else { Vec::new() },
            ..RequestProfile::post_json(&self.path, framing, limits)
        }
    }
}

//! What an operator can set, and what QRadar could not read.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::facts::FactPlaces;
use siemaphore_sdk::{Framing, Limits, RequestProfile, SettingProblem};

use crate::line::Delimiter;

/// How lines look. Everything has a default.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The vendor. Together with the product it is what QRadar knows the log source type by.
    pub vendor: String,
    pub product: String,
    pub product_version: String,
    /// What stands between attributes: `tab`, a sign such as `^`, or its code such as `x5E`.
    pub delimiter: String,
    /// Appended to the endpoint. QRadar's receiver is at `/`.
    pub path: String,
    /// How lines are put into a request. `lines` needs a Message Pattern such as `LEEF:` in QRadar's log source.
    pub framing: BodyFraming,
    /// The longest line in bytes. What has no room is cut, the document first. Raise it together with QRadar's own
    /// limit for payloads.
    pub max_line_bytes: u32,
    /// Where documents have users, policies, tools and the like.
    pub fields: FactPlaces,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyFraming {
    /// A request for each line: what QRadar reads without further settings.
    OnePerRequest,
    /// Each line ends with a newline.
    Lines,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            vendor: "Siemaphore".to_owned(),
            product: "AI Security".to_owned(),
            product_version: "1".to_owned(),
            delimiter: "tab".to_owned(),
            path: "/".to_owned(),
            framing: BodyFraming::OnePerRequest,
            // Where QRadar cuts payloads unless it is told otherwise.
            max_line_bytes: 4_096,
            fields: FactPlaces::default(),
        }
    }
}

const MOST_HEADER_BYTES: usize = 255;
/// Room for the longest header.
const LEAST_LINE_BYTES: u32 = 2_048;
const MOST_LINE_BYTES: u32 = 500_000;
const BODY_BYTES: u32 = 1_000_000;
const RECORDS: u32 = 1_000;

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        let header = [
            ("vendor", &self.vendor),
            ("product", &self.product),
            ("product_version", &self.product_version),
        ];
        for (name, value) in header {
            if value.trim().is_empty() || value.len() > MOST_HEADER_BYTES {
                let message = format!("{name} has to have 1 to {MOST_HEADER_BYTES} bytes");
                problems.push(SettingProblem::at([name], message));
            }
        }
        if let Err(message) = Delimiter::parse(&self.delimiter) {
            problems.push(SettingProblem::at(["delimiter"], message));
        }
        problems.extend(SettingProblem::unless_path("path", &self.path));
        let lengths = LEAST_LINE_BYTES..=MOST_LINE_BYTES;
        problems.extend(SettingProblem::unless_in(lengths, "max_line_bytes", self.max_line_bytes));
        problems.extend(self.fields.problems("fields"));
        problems
    }

    /// QRadar documents no compression.
    pub(crate) fn profile(&self) -> RequestProfile {
        let (framing, records) = match self.framing {
            BodyFraming::OnePerRequest => (Framing::OnePerRequest, 1),
            BodyFraming::Lines => (Framing::Newline, RECORDS),
        };
        let limits = Limits { records, body_bytes: BODY_BYTES, record_bytes: self.max_line_bytes };
        RequestProfile {
            content_type: "text/plain".to_owned(),
            compression: Vec::new(),
            ..RequestProfile::post_json(&self.path, framing, limits)
        }
    }
}

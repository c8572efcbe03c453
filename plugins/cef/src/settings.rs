//! What an operator can set, and what no collector could use.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::facts::FactPlaces;
use siemaphore_sdk::{Compression, Framing, Limits, RequestProfile, SettingProblem};

/// How lines look. Everything has a default.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Device Vendor, at most 63 bytes.
    pub vendor: String,
    /// Device Product, at most 63 bytes. By default the name of the producer.
    pub product: Option<String>,
    /// Device Version, at most 31 bytes.
    pub device_version: String,
    /// Appended to the endpoint. `/` adds nothing.
    pub path: String,
    pub content_type: String,
    /// How lines are put into a request.
    pub framing: BodyFraming,
    /// The longest line in bytes. What has no room is cut, the document first.
    pub max_line_bytes: u32,
    /// Compress with gzip, where the collector takes it.
    pub gzip: bool,
    /// Where documents have users, policies, tools and the like.
    pub fields: FactPlaces,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyFraming {
    /// Each line ends with a newline.
    Lines,
    /// A request for each line.
    OnePerRequest,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            vendor: "Siemaphore".to_owned(),
            product: None,
            device_version: "1".to_owned(),
            path: "/".to_owned(),
            content_type: "text/plain".to_owned(),
            framing: BodyFraming::Lines,
            max_line_bytes: MOST_LINE_BYTES,
            gzip: false,
            fields: FactPlaces::default(),
        }
    }
}

pub(crate) const MOST_VENDOR_BYTES: usize = 63;
pub(crate) const MOST_PRODUCT_BYTES: usize = 63;
pub(crate) const MOST_VERSION_BYTES: usize = 31;

/// Room for the longest header.
const LEAST_LINE_BYTES: u32 = 4_096;
const MOST_LINE_BYTES: u32 = 500_000;
const BODY_BYTES: u32 = 1_000_000;
const RECORDS: u32 = 1_000;

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        let header = [
            ("vendor", Some(&self.vendor), MOST_VENDOR_BYTES),
            ("product", self.product.as_ref(), MOST_PRODUCT_BYTES),
            ("device_version", Some(&self.device_version), MOST_VERSION_BYTES),
        ];
        for (name, value, most) in header {
            if value.is_some_and(|value| value.trim().is_empty() || value.len() > most) {
                problems.push(SettingProblem::at([name], format!("{name} has to have 1 to {most} bytes")));
            }
        }
        problems.extend(SettingProblem::unless_path("path", &self.path));
        if self.content_type.is_empty()
            || !self.content_type.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        {
            let message = "this cannot be a content type: write one such as text/plain";
            problems.push(SettingProblem::at(["content_type"], message));
        }
        let lengths = LEAST_LINE_BYTES..=MOST_LINE_BYTES;
        problems.extend(SettingProblem::unless_in(lengths, "max_line_bytes", self.max_line_bytes));
        problems.extend(self.fields.problems("fields"));
        problems
    }

    pub(crate) fn profile(&self) -> RequestProfile {
        let (framing, records) = match self.framing {
            BodyFraming::Lines => (Framing::Newline, RECORDS),
            BodyFraming::OnePerRequest => (Framing::OnePerRequest, 1),
        };
        let limits = Limits { records, body_bytes: BODY_BYTES, record_bytes: self.max_line_bytes };
        RequestProfile {
            content_type: self.content_type.clone(),
            compression: if self.gzip { vec![Compression::Gzip] } else { Vec::new() },
            ..RequestProfile::post_json(&self.path, framing, limits)
        }
    }
}

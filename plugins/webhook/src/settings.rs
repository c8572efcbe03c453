//! What an operator can set, and what no receiver could use.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::facts::FactPlaces;
use siemaphore_sdk::{Compression, Framing, Limits, Method, RequestProfile, SettingProblem};

use crate::record::Layout;
use crate::template::Template;

/// What the receiver wants. Everything has a default.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What an event looks like. By default with its envelope.
    pub body: Option<Body>,
    /// A JSON object of your own with placeholders, instead of `body`. Within a text, a placeholder becomes text; alone,
    /// it becomes a JSON value, `null` when there is none: `{"text":"{{event_type}} by {{user_email}}","event":{{document}}}`.
    pub template: Option<String>,
    /// Appended to the endpoint. `/` adds nothing.
    pub path: String,
    pub method: RequestMethod,
    /// By default `application/json`, and `application/x-ndjson` for lines.
    pub content_type: Option<String>,
    /// More headers, none of them secret.
    pub headers: BTreeMap<String, String>,
    /// How events are put into a request.
    pub framing: BodyFraming,
    /// The most events in a request, for `array` and `lines`.
    pub max_records: u32,
    /// The longest body in bytes, before compression. A longer event is given up.
    pub max_body_bytes: u32,
    /// Compress with gzip. Leave it off where the signature is checked after decompression.
    pub gzip: bool,
    /// Where documents have what the placeholders `user_email`, `policy` and the like stand for.
    pub fields: FactPlaces,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// What is known of the event, with the document in `document`.
    Envelope,
    /// The document as the producer wrote it, after redaction.
    Document,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestMethod {
    Post,
    Put,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyFraming {
    /// A request for each event.
    OnePerRequest,
    /// A JSON array of events.
    Array,
    /// An event on each line.
    Lines,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            body: None,
            template: None,
            path: "/".to_owned(),
            method: RequestMethod::Post,
            content_type: None,
            headers: BTreeMap::new(),
            framing: BodyFraming::OnePerRequest,
            max_records: 100,
            max_body_bytes: 1_000_000,
            gzip: false,
            fields: FactPlaces::default(),
        }
    }
}

const MOST_RECORDS: u32 = 10_000;
/// Less would leave no room for an ordinary event.
const LEAST_BODY_BYTES: u32 = 1_000;
/// What one call of a formatter may return.
const MOST_BODY_BYTES: u32 = 16 * 1024 * 1024;

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        if self.body.is_some() && self.template.is_some() {
            problems
                .push(SettingProblem::at(["body"], "leave `body` out: the template says what the body is"));
        }
        problems.extend(SettingProblem::unless_path("path", &self.path));
        if self.content_type.as_deref().is_some_and(|content_type| !is_header_value(content_type)) {
            let message = "this cannot be a content type: write one such as application/json";
            problems.push(SettingProblem::at(["content_type"], message));
        }
        problems.extend(self.header_problems());
        problems.extend(SettingProblem::unless_in(1..=MOST_RECORDS, "max_records", self.max_records));
        let lengths = LEAST_BODY_BYTES..=MOST_BODY_BYTES;
        problems.extend(SettingProblem::unless_in(lengths, "max_body_bytes", self.max_body_bytes));
        problems.extend(self.fields.problems("fields"));
        problems
    }

    fn header_problems(&self) -> impl Iterator<Item = SettingProblem> {
        self.headers.iter().filter_map(|(name, value)| {
            let message = if !is_header_name(name) {
                "this cannot be the name of a header: use letters, digits and hyphens"
            } else if name.eq_ignore_ascii_case("content-type") {
                "write this into the setting `content_type`"
            } else if !is_header_value(value) {
                "this cannot be the value of a header: use visible ASCII characters and spaces"
            } else {
                return None;
            };
            Some(SettingProblem::at(["headers", name], message))
        })
    }

    pub(crate) fn profile(&self) -> RequestProfile {
        let (framing, records, usual_content_type) = match self.framing {
            BodyFraming::OnePerRequest => (Framing::OnePerRequest, 1, "application/json"),
            BodyFraming::Array => (Framing::JsonArray, self.max_records, "application/json"),
            BodyFraming::Lines => (Framing::Newline, self.max_records, "application/x-ndjson"),
        };
        let limits = Limits { records, body_bytes: self.max_body_bytes, record_bytes: self.max_body_bytes };
        RequestProfile {
            method: match self.method {
                RequestMethod::Post => Method::Post,
                RequestMethod::Put => Method::Put,
            },
            content_type: self.content_type.clone().unwrap_or_else(|| usual_content_type.to_owned()),
            headers: self.headers.clone().into_iter().collect(),
            compression: if self.gzip { vec![Compression::Gzip] } else { Vec::new() },
            ..RequestProfile::post_json(&self.path, framing, limits)
        }
    }

    pub(crate) fn into_layout(self) -> Result<Layout, SettingProblem> {
        match (self.template, self.body) {
            (Some(template), _) => Template::parse(&template)
                .map(|template| Layout::Template(Box::new((template, self.fields))))
                .map_err(|message| SettingProblem::at(["template"], message)),
            (None, Some(Body::Document)) => Ok(Layout::Document),
            (None, Some(Body::Envelope) | None) => Ok(Layout::Envelope),
        }
    }
}

fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_header_value(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

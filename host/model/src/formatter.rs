//! What a formatter says, in the host's own types: the newest contract (`wit/v1`), free of any binding.
//!
//! The sandbox converts what a guest returns into these; registry, delivery and pipeline use them. Nothing here has
//! been checked yet, unless it says so: a guest may claim anything.

use serde::{Deserialize, Serialize};

/// What people and forms need to know about a formatter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    pub name: String,
    pub version: String,
    pub vendor: String,
    pub title: String,
    pub summary: String,
    /// JSON Schema 2020-12.
    pub settings_schema: String,
    /// A JSON object that `configure` accepts.
    pub settings_example: String,
    pub endpoint_example: String,
    /// What the SIEM calls its secret.
    pub secret_name: String,
    pub authentication: Vec<AuthenticationHint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuthenticationHint {
    pub scheme: String,
    /// A JSON object.
    pub parameters: String,
}

/// A setting that the formatter refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingProblem {
    /// A JSON Pointer; empty for the settings as a whole.
    pub pointer: String,
    pub message: String,
}

/// The request that a formatter asks for. Granted and stored before it is used, hence serialisable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestProfile {
    pub method: Method,
    /// May hold `{organization}`, `{project}`, `{producer}`. Not encoded.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub content_type: String,
    /// Values may hold the same placeholders.
    pub headers: Vec<(String, String)>,
    pub follow_up_path: Option<String>,
    /// Cookies of an answer go with its follow-ups.
    pub sticky: bool,
    pub framing: Framing,
    pub limits: Limits,
    /// What the SIEM decompresses, the best first.
    pub compression: Vec<Compression>,
    pub probe: Option<Probe>,
    pub replay_window: Option<ReplayWindow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    JsonArray,
    Newline,
    Concatenated,
    OnePerRequest,
    Enclosed { prefix: Vec<u8>, separator: Vec<u8>, suffix: Vec<u8> },
}

/// The most that one request may hold, before compression and with the framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub records: u32,
    pub body_bytes: u32,
    pub record_bytes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    Gzip,
    Zstd,
    Deflate,
}

/// How old an event the SIEM still takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayWindow {
    pub max_age_s: u64,
    pub effect: TooOld,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TooOld {
    Dropped,
    Retimed,
}

/// A request without side effects that shows whether endpoint and credentials work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// GET when true, else the profile's method.
    pub get: bool,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// One record for each event of a `format` call, checked against that call: as many ends as events, never decreasing,
/// within the data, and every empty record rejected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Records {
    pub data: Vec<u8>,
    pub ends: Vec<u32>,
    /// In order of their index, each once.
    pub rejected: Vec<Rejection>,
}

impl Records {
    /// The record of each event, in order; empty for a rejected one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let end = end as usize;
            let record = self.data.get(start..end).unwrap_or_default();
            start = end;
            record
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub index: u32,
    pub reason: String,
}

/// What a SIEM answered, as a formatter sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub phase: Phase,
    pub state: Vec<u8>,
    pub status: u16,
    /// Names in lowercase.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub truncated: bool,
    pub records: u32,
    pub body_bytes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    First,
    FollowUp,
}

/// What an answer means, in the formatter's opinion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Standard,
    Delivered(Option<Note>),
    Partial(Partial),
    Retry { after_ms: Option<u64>, reason: String },
    Split,
    Hold(Refusal),
    Rejected(Refusal),
    Uncertain { lost: u32, reason: String },
    Pending(Pending),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub reason: String,
    pub hint: String,
    pub pause_ms: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    pub runs: Vec<Run>,
    pub rest: Fate,
    pub note: Option<Note>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub first: u32,
    pub count: u32,
    pub fate: Fate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Delivered,
    Duplicate,
    Retry,
    Rejected(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: String,
    pub hint: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub after_ms: u64,
    pub query: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub state: Vec<u8>,
}

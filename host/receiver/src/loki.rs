//! Grafana Loki's push API, behind a gateway with a password, as Grafana Cloud has it.
//!
//! What Loki refuses of a request, it says with 400 and keeps the rest: here too. A line that is there already, with the
//! same labels and the same time, is not stored again. Loki forgets that in the end; so does this, one hour later, when
//! such a line would be too late anyway.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem};
use crate::strict_json;
use crate::timestamp::{HOUR_MS, now_ms};

const PATH: &str = "/loki/api/v1/push";

const MAX_BODY_BYTES: usize = 20_000_000;
/// What is taken at once, counted in lines and metadata.
const BURST_BYTES: usize = 6_000_000;
const MAX_LINE_BYTES: usize = 262_144;
const MAX_LABELS: usize = 15;
const MAX_LABEL_NAME_BYTES: usize = 1_024;
const MAX_LABEL_VALUE_BYTES: usize = 2_048;
const MAX_METADATA_BYTES: usize = 65_536;

const NS_PER_MS: i128 = 1_000_000;
const MAX_AGE_NS: i128 = 168 * HOUR_MS as i128 * NS_PER_MS;
const GRACE_NS: i128 = 10 * 60 * 1_000 * NS_PER_MS;
/// Half the age at which a chunk is flushed.
const LATE_NS: i128 = HOUR_MS as i128 * NS_PER_MS;

type Labels = BTreeMap<String, String>;

impl Siem {
    pub fn loki(username: &str, token: &str) -> Siem {
        let authorization = format!("Basic {}", STANDARD.encode(format!("{username}:{token}")));
        Siem::new(move |config| {
            Playing::by(Loki {
                authorization: authorization.clone(),
                max_body_bytes: config.max_body_bytes.unwrap_or(MAX_BODY_BYTES),
                streams: Mutex::default(),
            })
        })
    }
}

struct Loki {
    authorization: String,
    max_body_bytes: usize,
    streams: Mutex<BTreeMap<Labels, Stream>>,
}

struct Refusal {
    status: StatusCode,
    words: String,
}

/// What is known of a stream.
#[derive(Default)]
struct Stream {
    newest_ns: i128,
    lines: BTreeSet<(i128, String)>,
}

#[derive(Deserialize)]
struct Push {
    streams: Vec<PushedStream>,
}

#[derive(Deserialize)]
struct PushedStream {
    stream: Labels,
    values: Vec<PushedLine>,
}

/// Other types than these fail the request as a whole: a time that is a number, metadata that is nested.
#[derive(Deserialize)]
#[serde(untagged)]
enum PushedLine {
    Plain(String, String),
    WithMetadata(String, String, Labels),
}

struct Line {
    time_ns: i128,
    text: String,
    metadata: Labels,
}

impl Loki {
    fn push(&self, request: &Request) -> Result<Answer, Refusal> {
        if request.path != PATH {
            return Err(refuse(StatusCode::NOT_FOUND, "404 page not found"));
        }
        if request.header(AUTHORIZATION) != Some(self.authorization.as_str()) {
            return Err(refuse(StatusCode::UNAUTHORIZED, "no credentials provided"));
        }
        if request.method != Method::POST {
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"));
        }
        let content_type = request.header(CONTENT_TYPE).unwrap_or_default();
        if !content_type.starts_with("application/json") {
            // Anything else is read as compressed protobuf.
            return Err(refuse(StatusCode::BAD_REQUEST, "snappy: corrupt input"));
        }
        let push = parse(request.body.as_ref().map_err(unreadable)?)?;
        let bytes: usize = push.iter().flat_map(|(_, lines)| lines).map(Line::bytes).sum();
        if bytes > BURST_BYTES {
            let lines: usize = push.iter().map(|(_, lines)| lines.len()).sum();
            let reason = format!(
                "ingestion rate limit exceeded for user fake (limit: 4194304 bytes/sec) while attempting to ingest '{lines}' \
                 lines totaling '{bytes}' bytes, reduce log volume or contact your Loki administrator to see if the limit can \
                 be increased"
            );
            return Err(refuse(StatusCode::TOO_MANY_REQUESTS, reason));
        }
        Ok(self.store(push))
    }

    /// Stores the good lines and says of the others why not.
    fn store(&self, push: Vec<(Labels, Vec<Line>)>) -> Answer {
        let mut answer = Answer::empty(StatusCode::NO_CONTENT);
        let mut problems = BTreeSet::new();
        let mut streams = self.streams();
        for (labels, lines) in push {
            if let Some(problem) = problem_with_labels(&labels) {
                problems.insert(problem);
                continue;
            }
            let name = shown(&labels);
            for line in lines {
                let problem = line.problem(&name).or_else(|| take(&mut streams, &labels, &name, &line));
                match problem {
                    Some(Problem::Refused(problem)) => drop(problems.insert(problem)),
                    Some(Problem::ThereAlready) => {}
                    None => answer.records.push(line.into_record(&labels)),
                }
            }
        }
        if problems.is_empty() {
            return answer;
        }
        let words = problems.into_iter().collect::<Vec<_>>().join("\n");
        Answer { records: answer.records, ..refuse(StatusCode::BAD_REQUEST, words).answer() }
    }

    fn streams(&self) -> MutexGuard<'_, BTreeMap<Labels, Stream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rules for Loki {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[Encoding::Gzip], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.push(request).unwrap_or_else(Refusal::answer)
    }
}

enum Problem {
    Refused(String),
    ThereAlready,
}

impl Line {
    fn bytes(&self) -> usize {
        self.text.len() + self.metadata_bytes()
    }

    fn metadata_bytes(&self) -> usize {
        self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    fn problem(&self, stream: &str) -> Option<Problem> {
        let age_ns = i128::from(now_ms()) * NS_PER_MS - self.time_ns;
        let problem = if self.text.len() > MAX_LINE_BYTES {
            let bytes = self.text.len();
            format!(
                "max entry size '{MAX_LINE_BYTES}' bytes exceeded for stream '{stream}' while adding an entry with length \
                 '{bytes}' bytes"
            )
        } else if age_ns > MAX_AGE_NS {
            format!("entry for stream '{stream}' has timestamp too old: {}", self.time_ns)
        } else if age_ns < -GRACE_NS {
            format!("entry for stream '{stream}' has timestamp too new: {}", self.time_ns)
        } else if self.metadata_bytes() > MAX_METADATA_BYTES {
            format!("stream '{stream}' has structured metadata too large: '{}' bytes", self.metadata_bytes())
        } else {
            return None;
        };
        Some(Problem::Refused(problem))
    }

    fn into_record(self, labels: &Labels) -> Record {
        let value = json!({
            "stream": labels,
            "time_ns": self.time_ns.to_string(),
            "line": self.text,
            "metadata": self.metadata,
        });
        Record { value, raw: self.text }
    }
}

fn take(streams: &mut BTreeMap<Labels, Stream>, labels: &Labels, name: &str, line: &Line) -> Option<Problem> {
    let stream = match streams.entry(labels.clone()) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(Stream::default()),
    };
    let oldest_ns = stream.newest_ns - LATE_NS;
    if line.time_ns < oldest_ns {
        return Some(Problem::Refused(format!(
            "entry with timestamp {} ignored, reason: 'entry too far behind, oldest acceptable timestamp is: {oldest_ns}',\n\
             user 'fake', total ignored: 1 out of 1 for stream: {name}",
            line.time_ns
        )));
    }
    if !stream.lines.insert((line.time_ns, line.text.clone())) {
        return Some(Problem::ThereAlready);
    }
    stream.newest_ns = stream.newest_ns.max(line.time_ns);
    stream.lines = stream.lines.split_off(&(stream.newest_ns - LATE_NS, String::new()));
    None
}

fn parse(body: &[u8]) -> Result<Vec<(Labels, Vec<Line>)>, Refusal> {
    let bad = |reason: String| refuse(StatusCode::BAD_REQUEST, reason);
    let text = str::from_utf8(body).map_err(|error| bad(error.to_string()))?;
    let parsed = strict_json::parse(text).map_err(|error| bad(error.to_string()))?;
    if let Some(key) = parsed.repeated_keys.first() {
        return Err(bad(format!("key '{key}' appears twice in one object")));
    }
    let push: Push = serde_json::from_value(parsed.value).map_err(|error| bad(error.to_string()))?;
    if push.streams.is_empty() {
        return Err(refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "at least one valid stream is required for ingestion",
        ));
    }
    push.streams
        .into_iter()
        .map(|PushedStream { stream, values }| {
            let lines: Result<Vec<Line>, Refusal> = values.into_iter().map(read_line).collect();
            Ok((stream, lines?))
        })
        .collect()
}

fn read_line(pushed: PushedLine) -> Result<Line, Refusal> {
    let (time, text, metadata) = match pushed {
        PushedLine::Plain(time, text) => (time, text, Labels::new()),
        PushedLine::WithMetadata(time, text, metadata) => (time, text, metadata),
    };
    let time_ns = time.parse::<u64>();
    let time_ns = time_ns
        .map_err(|_| refuse(StatusCode::BAD_REQUEST, format!("'{time}' is no time in nanoseconds")))?;
    Ok(Line { time_ns: i128::from(time_ns), text, metadata })
}

fn problem_with_labels(labels: &Labels) -> Option<String> {
    let stream = shown(labels);
    if labels.is_empty() {
        return Some("error at least one label pair is required per stream".to_owned());
    }
    if labels.len() > MAX_LABELS {
        return Some(format!(
            "entry for stream '{stream}' has {} label names; limit {MAX_LABELS}",
            labels.len()
        ));
    }
    labels.iter().find_map(|(name, value)| {
        if !is_label_name(name) {
            return Some(format!("error parsing labels {stream}: '{name}' is no label name"));
        }
        if name.len() > MAX_LABEL_NAME_BYTES {
            return Some(format!("stream '{stream}' has label name too long: '{name}'"));
        }
        (value.len() > MAX_LABEL_VALUE_BYTES)
            .then(|| format!("stream '{stream}' has label value too long: '{value}'"))
    })
}

fn is_label_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn shown(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn unreadable(error: &BodyError) -> Refusal {
    let status = match error {
        BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::UnsupportedEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        BodyError::Corrupt(_) => StatusCode::BAD_REQUEST,
    };
    refuse(status, error.to_string())
}

fn refuse(status: StatusCode, words: impl Into<String>) -> Refusal {
    Refusal { status, words: words.into() }
}

impl Refusal {
    fn answer(self) -> Answer {
        let mut answer = Answer::empty(self.status);
        answer.body = format!("{}\n", self.words);
        answer.header(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        match self.status {
            StatusCode::METHOD_NOT_ALLOWED => answer.header(ALLOW, HeaderValue::from_static("POST")),
            StatusCode::UNAUTHORIZED => answer.header(WWW_AUTHENTICATE, HeaderValue::from_static("Basic")),
            _ => {}
        }
        answer.refused(self.words)
    }
}

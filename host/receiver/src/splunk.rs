//! Splunk's HTTP Event Collector: the event endpoint, health, and the refusal of acknowledgement polls.
//!
//! On a bad event, everything before it is indexed and the answer says which event it was. Two things are narrower
//! here than in a default Splunk Enterprise: the body cap is the one of Splunk Cloud (Enterprise takes 800 MB), and
//! an array of events is refused, because only stacked objects are documented.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ALLOW, AUTHORIZATION};
use http::{HeaderValue, Method, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::strict_json::{self, Parsed};

const EVENT_PATHS: &[&str] =
    &["/services/collector", "/services/collector/event", "/services/collector/event/1.0"];
const HEALTH_PATHS: &[&str] = &["/services/collector/health", "/services/collector/health/1.0"];
const ACK_PATH: &str = "/services/collector/ack";

/// The largest body that a Splunk Cloud trial was seen to take.
const MAX_BODY_BYTES: usize = 5 * 1024 * 1024;

/// Splunk's `maxEventSize`; a larger event does not parse.
const MAX_EVENT_BYTES: usize = 5_000_000;

/// Seconds in this range are a date between 1970 and 5138; milliseconds of our century are above it.
const PLAUSIBLE_SECONDS: std::ops::Range<f64> = 0.0..1e11;

const ENVELOPE_KEYS: &[&str] = &["event", "time", "host", "source", "sourcetype", "index", "fields"];

/// One line of Splunk's table of answers.
#[derive(Clone, Copy)]
struct Code {
    status: u16,
    code: u16,
    text: &'static str,
}

const SUCCESS: Code = code(200, 0, "Success");
const TOKEN_REQUIRED: Code = code(401, 2, "Token is required");
const INVALID_AUTHORIZATION: Code = code(401, 3, "Invalid authorization");
const INVALID_TOKEN: Code = code(403, 4, "Invalid token");
const NO_DATA: Code = code(400, 5, "No data");
const INVALID_FORMAT: Code = code(400, 6, "Invalid data format");
const INCORRECT_INDEX: Code = code(400, 7, "Incorrect index");
const EVENT_REQUIRED: Code = code(400, 12, "Event field is required");
const EVENT_BLANK: Code = code(400, 13, "Event field cannot be blank");
const ACK_DISABLED: Code = code(400, 14, "ACK is disabled");
const INDEXED_FIELDS: Code = code(400, 15, "Error in handling indexed fields");
const QUERY_STRING_AUTHORIZATION: Code = code(400, 16, "Query string authorization is not enabled");
const HEALTHY: Code = code(200, 17, "HEC is healthy");
const HEALTH_INVALID_TOKEN: Code = code(400, 21, "Invalid token");
const NOT_FOUND: Code = code(404, 404, "The requested URL was not found on this server.");
const METHOD_NOT_ALLOWED: Code = code(405, 405, "The requested method is not allowed for this URL.");
const TOO_LARGE: Code = code(413, 413, "The content is larger than this server takes.");
const UNSUPPORTED_ENCODING: Code = code(415, 415, "The content encoding is not supported.");

const fn code(status: u16, code: u16, text: &'static str) -> Code {
    Code { status, code, text }
}

/// A refusal before any event was read.
struct Refusal {
    code: Code,
    detail: String,
    event: Option<usize>,
    allow: Option<&'static str>,
}

pub(crate) struct EventCollector {
    token: String,
    allowed_indexes: Option<Vec<String>>,
    max_body_bytes: usize,
    cloud: bool,
}

/// What one body came to.
#[derive(Default)]
struct Taken {
    records: Vec<Record>,
    violations: Vec<(usize, String)>,
}

impl EventCollector {
    pub(crate) fn new(
        token: String,
        allowed_indexes: Option<Vec<String>>,
        max_body_bytes: Option<usize>,
        cloud: bool,
    ) -> Self {
        Self { token, allowed_indexes, max_body_bytes: max_body_bytes.unwrap_or(MAX_BODY_BYTES), cloud }
    }

    fn event(&self, request: &Request) -> Result<Answer, Refusal> {
        only(request, &Method::POST, "POST")?;
        self.authorize(request)?;
        let body = request.body.as_ref().map_err(|error| self.unreadable(error))?;
        if body.trim_ascii().is_empty() {
            return Err(refuse(NO_DATA, "the body is empty"));
        }
        let mut taken = Taken::default();
        let mut answer = match self.take(body, request.query_value("index").as_deref(), &mut taken) {
            Ok(()) => respond(SUCCESS, None),
            Err(refusal) => refusal.answer(),
        };
        answer.records = taken.records;
        answer.violations = taken.violations;
        Ok(answer)
    }

    fn health(&self, request: &Request) -> Result<Answer, Refusal> {
        only(request, &Method::GET, "GET")?;
        match request.header(AUTHORIZATION) {
            Some(_) if self.authorize(request).is_err() => {
                Err(refuse(HEALTH_INVALID_TOKEN, "the health request shows a wrong token"))
            }
            _ => Ok(respond(HEALTHY, None)),
        }
    }

    /// The word `Splunk` and the token, or basic authentication with the token as password.
    fn authorize(&self, request: &Request) -> Result<(), Refusal> {
        let Some(authorization) = request.header(AUTHORIZATION).filter(|value| !value.trim().is_empty())
        else {
            return Err(match request.query_value("token") {
                Some(_) => refuse(QUERY_STRING_AUTHORIZATION, "the token is in the query string"),
                None => refuse(TOKEN_REQUIRED, "no authorization header"),
            });
        };
        let shown = match authorization.split_once(' ') {
            Some(("Splunk", token)) => Some(token.to_owned()),
            Some(("Basic", pair)) => basic_password(pair),
            _ => None,
        };
        match shown {
            None => Err(refuse(INVALID_AUTHORIZATION, "the authorization header is not 'Splunk <token>'")),
            Some(token) if token != self.token => Err(refuse(INVALID_TOKEN, "the token is not known")),
            Some(_) => Ok(()),
        }
    }

    fn unreadable(&self, error: &BodyError) -> Refusal {
        let code = match error {
            BodyError::TooLarge(_) if self.cloud => {
                return Refusal { event: Some(0), ..refuse(INVALID_FORMAT, error.to_string()) };
            }
            BodyError::TooLarge(_) => TOO_LARGE,
            BodyError::UnsupportedEncoding(_) => UNSUPPORTED_ENCODING,
            BodyError::Corrupt(_) => INVALID_FORMAT,
        };
        refuse(code, error.to_string())
    }

    /// Takes events up to the first bad one. For a wrong index nothing is known about the events before it, so
    /// none are taken, and the number is the one seen on real servers: the event after the bad one.
    fn take(&self, body: &[u8], default_index: Option<&str>, taken: &mut Taken) -> Result<(), Refusal> {
        let stacked = serde_json::Deserializer::from_slice(body).into_iter::<&RawValue>();
        for (number, raw) in stacked.enumerate() {
            let at = |code, detail: String| Refusal {
                event: Some(number),
                ..refuse(code, format!("event {number}: {detail}"))
            };
            let raw = raw.map_err(|error| at(INVALID_FORMAT, error.to_string()))?.get();
            let (record, spoiled) = read_event(raw).map_err(|(code, detail)| at(code, detail))?;
            let index = record.value.get("index").and_then(Value::as_str).or(default_index);
            if let Some(index) = index.filter(|index| !self.allows(index)) {
                *taken = Taken::default();
                let refusal = at(INCORRECT_INDEX, format!("index '{index}' is not allowed for the token"));
                return Err(Refusal { event: Some(number + 1), ..refusal });
            }
            taken.records.push(record);
            taken.violations.extend(spoiled.into_iter().map(|reason| (number, reason)));
        }
        Ok(())
    }

    fn allows(&self, index: &str) -> bool {
        self.allowed_indexes.as_ref().is_none_or(|allowed| allowed.iter().any(|one| one == index))
    }
}

impl Rules for EventCollector {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[Encoding::Gzip], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        let path = request.path.as_str();
        let answer = if EVENT_PATHS.contains(&path) {
            self.event(request)
        } else if HEALTH_PATHS.contains(&path) {
            self.health(request)
        } else if path == ACK_PATH {
            self.authorize(request).and(Err(refuse(ACK_DISABLED, "the token has no acknowledgement")))
        } else {
            Err(refuse(NOT_FOUND, "no such path"))
        };
        answer.unwrap_or_else(|refusal| refusal.answer())
    }
}

/// One event with what Splunk would spoil of it.
fn read_event(raw: &str) -> Result<(Record, Vec<String>), (Code, String)> {
    if raw.len() > MAX_EVENT_BYTES {
        return Err((INVALID_FORMAT, format!("{} bytes are over maxEventSize", raw.len())));
    }
    let Parsed { value, repeated_keys } =
        strict_json::parse(raw).map_err(|error| (INVALID_FORMAT, error.to_string()))?;
    let Some(envelope) = value.as_object() else {
        return Err((INVALID_FORMAT, "not an object".to_owned()));
    };
    check_envelope(envelope)?;
    let mut spoiled = spoiled(envelope);
    spoiled.extend(repeated_keys.iter().map(|key| format!("key '{key}' appears twice in one object")));
    Ok((Record { value, raw: raw.to_owned() }, spoiled))
}

fn check_envelope(envelope: &Map<String, Value>) -> Result<(), (Code, String)> {
    match envelope.get("event") {
        None => return Err((EVENT_REQUIRED, "no key 'event'".to_owned())),
        Some(Value::Null) => return Err((EVENT_BLANK, "'event' is null".to_owned())),
        Some(Value::String(text)) if text.trim().is_empty() => {
            return Err((EVENT_BLANK, "'event' is blank".to_owned()));
        }
        Some(Value::String(_) | Value::Number(_) | Value::Object(_)) => {}
        Some(_) => return Err((INVALID_FORMAT, "'event' is no string, number or object".to_owned())),
    }
    for key in ["host", "source", "sourcetype", "index"] {
        if envelope.get(key).is_some_and(|value| !value.is_string()) {
            return Err((INVALID_FORMAT, format!("'{key}' is not a string")));
        }
    }
    if let Some(time) = envelope.get("time").filter(|time| seconds(time).is_none()) {
        return Err((INVALID_FORMAT, format!("time {time} is not a number of seconds")));
    }
    match envelope.get("fields").filter(|fields| !is_flat(fields)) {
        Some(_) => Err((INDEXED_FIELDS, "'fields' is not a flat object".to_owned())),
        None => Ok(()),
    }
}

/// What Splunk indexes wrongly without a word.
fn spoiled(envelope: &Map<String, Value>) -> Vec<String> {
    let unknown = envelope.keys().filter(|key| !ENVELOPE_KEYS.contains(&key.as_str()));
    let mut reasons: Vec<String> =
        unknown.map(|key| format!("key '{key}' beside 'event' is ignored")).collect();
    if let Some(time) = envelope.get("time").and_then(seconds)
        && !PLAUSIBLE_SECONDS.contains(&time)
    {
        reasons.push(format!("time {time} is not in seconds since 1970"));
    }
    reasons
}

fn seconds(time: &Value) -> Option<f64> {
    match time {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().filter(|seconds: &f64| seconds.is_finite()),
        _ => None,
    }
}

fn is_flat(fields: &Value) -> bool {
    let is_scalar = |value: &Value| !value.is_object() && !value.is_array();
    fields.as_object().is_some_and(|fields| {
        fields.values().all(|value| match value {
            Value::Array(items) => items.iter().all(is_scalar),
            value => is_scalar(value),
        })
    })
}

fn basic_password(pair: &str) -> Option<String> {
    let pair = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

fn only(request: &Request, method: &Method, name: &'static str) -> Result<(), Refusal> {
    if request.method == method {
        return Ok(());
    }
    Err(Refusal { allow: Some(name), ..refuse(METHOD_NOT_ALLOWED, format!("method {}", request.method)) })
}

fn refuse(code: Code, detail: impl Into<String>) -> Refusal {
    Refusal { code, detail: detail.into(), event: None, allow: None }
}

impl Refusal {
    fn answer(self) -> Answer {
        let mut answer =
            respond(self.code, self.event).refused(format!("code {}: {}", self.code.code, self.detail));
        if let Some(allow) = self.allow {
            answer.header(ALLOW, HeaderValue::from_static(allow));
        }
        answer
    }
}

fn respond(code: Code, event: Option<usize>) -> Answer {
    let mut body = json!({ "text": code.text, "code": code.code });
    if let (Some(event), Some(body)) = (event, body.as_object_mut()) {
        body.insert("invalid-event-number".to_owned(), json!(event));
    }
    Answer::json(StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &body)
}

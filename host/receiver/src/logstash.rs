//! Logstash's http input with Basic authentication, as its page sets it up: every path, the codec by content type.
//!
//! The input says "ok" to anything. What its codec cannot read, and what an event loses on its way into one of
//! Logstash's, is a violation here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem};
use crate::strict_json::{self, Parsed, repetitions};
use crate::timestamp::iso_ms;

/// `max_content_length`.
const MAX_BODY_BYTES: usize = 104_857_600;

/// What the input adds to an event under ECS: objects.
const EXTENDED: &[&str] = &["event", "host", "http", "url", "user_agent"];

impl Siem {
    pub fn logstash(username: &str, password: &str) -> Siem {
        let authorization = format!("Basic {}", STANDARD.encode(format!("{username}:{password}")));
        Siem::new(move |config| {
            let max_body_bytes = config.max_body_bytes.unwrap_or(MAX_BODY_BYTES);
            Playing::by(HttpInput { authorization: authorization.clone(), max_body_bytes })
        })
    }
}

struct HttpInput {
    authorization: String,
    max_body_bytes: usize,
}

struct Refusal {
    status: StatusCode,
    reason: String,
    /// Only who gives no credentials is asked for some.
    challenge: Option<&'static str>,
}

impl HttpInput {
    fn events(&self, request: &Request) -> Result<Answer, Refusal> {
        match request.header(AUTHORIZATION) {
            None => {
                let challenge = Some("Basic realm=\"Logstash HTTP Input\"");
                return Err(Refusal { challenge, ..refuse(StatusCode::UNAUTHORIZED, "no credentials") });
            }
            Some(given) if given != self.authorization => {
                return Err(refuse(StatusCode::UNAUTHORIZED, "wrong credentials"));
            }
            Some(_) => {}
        }
        let body = request.body.as_ref().map_err(unreadable)?;
        let mut answer = Answer::empty(StatusCode::OK);
        answer.body = "ok".to_owned();
        answer.header(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        let content_type = request.header(CONTENT_TYPE).unwrap_or_default();
        let decoded = if request.method != Method::POST {
            Err(format!("method {}: the event is a request without a body", request.method))
        } else if content_type.starts_with("application/json") {
            decode(body)
        } else {
            Err(format!("content type '{content_type}': the body becomes one message"))
        };
        match decoded {
            Ok(events) => {
                events.into_iter().enumerate().for_each(|(place, raw)| take(place, raw.get(), &mut answer))
            }
            Err(reason) => {
                let raw = String::from_utf8_lossy(body).into_owned();
                let value = json!({ "message": raw, "tags": ["_jsonparsefailure"] });
                answer.records.push(Record { value, raw });
                answer.violations.push((0, reason));
            }
        }
        Ok(answer)
    }
}

impl Rules for HttpInput {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[Encoding::Gzip, Encoding::Deflate], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.events(request).unwrap_or_else(Refusal::answer)
    }
}

/// The codec: an object is one event, an array many.
fn decode(body: &[u8]) -> Result<Vec<&RawValue>, String> {
    let parsed = match body.trim_ascii().first() {
        Some(b'[') => serde_json::from_slice(body),
        _ => serde_json::from_slice(body).map(|event| vec![event]),
    };
    parsed.map_err(|error| format!("_jsonparsefailure: {error}"))
}

fn take(place: usize, raw: &str, answer: &mut Answer) {
    let reasons = match strict_json::parse(raw) {
        Err(error) => vec![format!("_jsonparsefailure: {error}")],
        Ok(Parsed { value: Value::Object(event), repeated_keys }) => {
            let mut reasons = spoiled(&event);
            reasons.extend(repetitions(&repeated_keys));
            answer.records.push(Record { value: Value::Object(event), raw: raw.to_owned() });
            reasons
        }
        Ok(_) => vec!["an event is no object: dropped".to_owned()],
    };
    answer.violations.extend(reasons.into_iter().map(|reason| (place, reason)));
}

fn spoiled(event: &Map<String, Value>) -> Vec<String> {
    let mut reasons = Vec::new();
    match event.get("@timestamp") {
        None => reasons.push("no @timestamp: the time of arrival counts".to_owned()),
        Some(time) if time.as_str().and_then(iso_ms).is_none() => {
            reasons.push(format!("@timestamp {time} is _timestampparsefailure: the time of arrival counts"));
        }
        Some(_) => {}
    }
    if event.get("tags").is_some_and(|tags| !is_tags(tags)) {
        reasons.push("tags are neither a text nor texts: _tagsparsefailure".to_owned());
    }
    if event.contains_key("@metadata") {
        reasons.push("@metadata goes into no output".to_owned());
    }
    if event.get("@version").is_some_and(|version| !version.is_string()) {
        reasons.push("@version is Logstash's own".to_owned());
    }
    let collides = |name: &&&str| event.get(**name).is_some_and(|value| !value.is_object());
    let collisions = EXTENDED.iter().filter(collides);
    reasons.extend(
        collisions.map(|name| format!("'{name}' is no object: it collides with what the input adds")),
    );
    reasons
}

fn is_tags(tags: &Value) -> bool {
    tags.is_string() || tags.as_array().is_some_and(|tags| tags.iter().all(Value::is_string))
}

fn unreadable(error: &BodyError) -> Refusal {
    let status = match error {
        BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::UnsupportedEncoding(_) | BodyError::Corrupt(_) => StatusCode::BAD_REQUEST,
    };
    refuse(status, error.to_string())
}

fn refuse(status: StatusCode, reason: impl Into<String>) -> Refusal {
    Refusal { status, reason: reason.into(), challenge: None }
}

impl Refusal {
    fn answer(self) -> Answer {
        let mut answer = Answer::empty(self.status).refused(self.reason);
        if let Some(challenge) = self.challenge {
            answer.header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        answer
    }
}

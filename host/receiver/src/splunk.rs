//! Splunk's HTTP Event Collector: the event endpoint, health, and indexer acknowledgement for tokens that have it.
//!
//! On a bad event, everything before it is indexed and the answer says which event it was. Two things are narrower
//! here than in a default Splunk Enterprise: the body cap is the one of Splunk Cloud (Enterprise takes 800 MB), and
//! an array of events is refused, because only stacked objects are documented.

mod acknowledgement;
mod code;
mod event;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ALLOW, AUTHORIZATION, SET_COOKIE};
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub use self::acknowledgement::Acknowledgement;
pub(crate) use self::acknowledgement::Acknowledgements;
use self::acknowledgement::{Route, channel, is_guid};
use self::code::{
    ACK_CHANNEL_FULL, ACK_DISABLED, CHANNEL_MISSING, CLOUD_CHANNEL_MISSING, Code, HEALTH_INVALID_TOKEN,
    HEALTHY, INCORRECT_INDEX, INVALID_AUTHORIZATION, INVALID_CHANNEL, INVALID_FORMAT, INVALID_TOKEN,
    METHOD_NOT_ALLOWED, NO_DATA, NOT_FOUND, QUERY_STRING_AUTHORIZATION, SUCCESS, TOKEN_REQUIRED, TOO_LARGE,
    UNSUPPORTED_ENCODING,
};
use self::event::read_event;
use crate::answer::{Answer, Record, RequestKind, Rules};
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem};

const EVENT_PATHS: &[&str] =
    &["/services/collector", "/services/collector/event", "/services/collector/event/1.0"];
const HEALTH_PATHS: &[&str] = &["/services/collector/health", "/services/collector/health/1.0"];
const ACK_PATH: &str = "/services/collector/ack";

/// The largest body that a Splunk Cloud trial was seen to take.
const MAX_BODY_BYTES: usize = 5 * 1024 * 1024;

/// Why a request, or the rest of it, is not taken.
struct Refusal {
    code: Code,
    detail: String,
    event: Option<usize>,
    allow: Option<&'static str>,
}

impl Siem {
    /// HEC as it is by default: every index, no acknowledgement.
    pub fn splunk_hec(token: &str) -> Siem {
        EventCollector::siem(token, None, None)
    }

    /// HEC with indexer acknowledgement (`useACK`).
    pub fn splunk_hec_acknowledging(token: &str, acknowledgement: Acknowledgement) -> Siem {
        EventCollector::siem(token, None, Some(acknowledgement))
    }

    /// HEC with a token for these indexes only.
    pub fn splunk_hec_for_indexes(token: &str, indexes: &[&str]) -> Siem {
        let indexes = indexes.iter().map(|index| (*index).to_owned()).collect();
        EventCollector::siem(token, Some(indexes), None)
    }
}

struct EventCollector {
    token: String,
    allowed_indexes: Option<Vec<String>>,
    acknowledgements: Option<Arc<Acknowledgements>>,
    max_body_bytes: usize,
    cloud: bool,
}

/// What a poll asks.
#[derive(Deserialize)]
struct Poll {
    acks: Vec<u64>,
}

/// What one body came to.
#[derive(Default)]
struct Taken {
    records: Vec<Record>,
    violations: Vec<(usize, String)>,
}

impl EventCollector {
    fn siem(
        token: &str,
        allowed_indexes: Option<Vec<String>>,
        acknowledgement: Option<Acknowledgement>,
    ) -> Siem {
        let token = token.to_owned();
        Siem::new(move |config| {
            let acknowledgements = acknowledgement.clone().map(|how| Arc::new(Acknowledgements::new(how)));
            let collector = EventCollector {
                token: token.clone(),
                allowed_indexes: allowed_indexes.clone(),
                acknowledgements: acknowledgements.clone(),
                max_body_bytes: config.max_body_bytes.unwrap_or(MAX_BODY_BYTES),
                cloud: config.splunk_cloud,
            };
            Playing { acknowledgements, ..Playing::by(collector) }
        })
    }

    fn event(&self, request: &Request) -> Result<Answer, Refusal> {
        only(request, &Method::POST, "POST")?;
        self.authorize(request)?;
        let Some(acknowledgements) = &self.acknowledgements else { return self.take_all(request) };
        let channel = self.channel(request)?;
        let route = acknowledgements.route(request);
        let mut answer = self.take_all(request)?;
        if answer.status == StatusCode::OK {
            let full = || refuse(ACK_CHANNEL_FULL, "too many acknowledgements are open");
            let id = acknowledgements.open(&route, &channel).ok_or_else(full)?;
            answer.body = json!({ "text": SUCCESS.text, "code": SUCCESS.code, "ackId": id }).to_string();
        }
        set_cookie(&mut answer, route);
        Ok(answer)
    }

    /// Answers whether what was taken under some ids is indexed.
    fn poll(&self, request: &Request) -> Result<Answer, Refusal> {
        only(request, &Method::POST, "POST")?;
        self.authorize(request)?;
        let acknowledgements = self.acknowledgements.as_ref();
        let acknowledgements =
            acknowledgements.ok_or_else(|| refuse(ACK_DISABLED, "the token has no acknowledgement"))?;
        let channel = self.channel(request)?;
        let body = request.body.as_ref().map_err(|error| self.unreadable(error))?;
        let poll: Poll =
            serde_json::from_slice(body).map_err(|error| refuse(INVALID_FORMAT, error.to_string()))?;
        let route = acknowledgements.route(request);
        let acks = acknowledgements.poll(&route, &channel, &poll.acks);
        let mut answer = Answer::json(StatusCode::OK, &json!({ "acks": acks }));
        set_cookie(&mut answer, route);
        Ok(answer)
    }

    fn channel(&self, request: &Request) -> Result<String, Refusal> {
        let missing = if self.cloud { CLOUD_CHANNEL_MISSING } else { CHANNEL_MISSING };
        let channel = channel(request).ok_or_else(|| refuse(missing, "the request names no channel"))?;
        if is_guid(&channel) {
            Ok(channel)
        } else {
            Err(refuse(INVALID_CHANNEL, format!("channel '{channel}' is not a GUID")))
        }
    }

    /// The events of a request, and the answer without an acknowledgement.
    fn take_all(&self, request: &Request) -> Result<Answer, Refusal> {
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

    fn kind(&self, path: &str) -> RequestKind {
        if path == ACK_PATH { RequestKind::Poll } else { RequestKind::Ingest }
    }

    fn answer(&self, request: &Request) -> Answer {
        let path = request.path.as_str();
        let answer = if EVENT_PATHS.contains(&path) {
            self.event(request)
        } else if HEALTH_PATHS.contains(&path) {
            self.health(request)
        } else if path == ACK_PATH {
            self.poll(request)
        } else {
            Err(refuse(NOT_FOUND, "no such path"))
        };
        answer.unwrap_or_else(|refusal| refusal.answer())
    }
}

fn set_cookie(answer: &mut Answer, route: Route) {
    let cookie = route.new_cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok());
    if let Some(cookie) = cookie {
        answer.header(SET_COOKIE, cookie);
    }
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

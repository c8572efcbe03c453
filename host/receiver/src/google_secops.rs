//! The Chronicle API of Google SecOps: `events.import` of UDM events, and the list of log types that a probe asks for.
//!
//! One invalid event has the whole request refused, with Google's error body. A member that the protobuf messages do
//! not have is refused too, as Google does. Only the event types that have to do with AI gateways are known here, with
//! what Google's UDM usage guide requires of them; where it leaves a choice, the stricter reading counts.
//!
//! Its access tokens come from the token endpoint on the same port, for one service account.

use std::sync::Arc;

use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::access_tokens::AccessTokens;
use crate::answer::{Answer, Record, RequestKind, Rules};
use crate::google_tokens::{GoogleAccount, GoogleTokens};
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem, Tokens};
use crate::strict_json::{self, Parsed, repetitions};
use crate::timestamp::iso_ms;

const MAX_BODY_BYTES: usize = 4_000_000;

/// Integers beyond it lose digits in a protobuf `Struct`.
const LARGEST_EXACT: u64 = 1 << 53;

/// The instance that events are sent to, and the service account that may send them.
#[derive(Clone, Debug)]
pub struct SecOpsInstance {
    pub project: String,
    pub location: String,
    pub instance: String,
    pub account: GoogleAccount,
}

impl Siem {
    pub fn google_secops(instance: SecOpsInstance) -> Siem {
        Siem::new(move |config| {
            let issued = Arc::new(AccessTokens::lasting(config.token_lifetime));
            let endpoint = GoogleTokens { account: instance.account.clone(), tokens: Arc::clone(&issued) };
            let tokens = Tokens { path: GoogleTokens::PATH.to_owned(), issued };
            let max_body_bytes = config.max_body_bytes.unwrap_or(MAX_BODY_BYTES);
            let chronicle = ChronicleApi { instance: instance.clone(), endpoint, max_body_bytes };
            Playing { tokens: Some(tokens), ..Playing::by(chronicle) }
        })
    }
}

struct ChronicleApi {
    instance: SecOpsInstance,
    endpoint: GoogleTokens,
    max_body_bytes: usize,
}

struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

type Checked<T = ()> = Result<T, Refusal>;

impl ChronicleApi {
    fn call(&self, request: &Request) -> Checked<Answer> {
        let bearer = request.header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        if bearer.is_none_or(|bearer| self.endpoint.tokens.check(bearer).is_err()) {
            let message = "Request had invalid authentication credentials. Expected OAuth 2 access token.";
            return Err(refuse(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message));
        }
        match (self.method(&request.path)?, &request.method) {
            ("logTypes", &Method::GET) => {
                let body = json!({ "logTypes": [{ "name": "logTypes/UDM", "displayName": "UDM" }] });
                Ok(Answer::json(StatusCode::OK, &body))
            }
            ("events:import", &Method::POST) => self.import(request),
            (_, method) => Err(refuse(
                StatusCode::METHOD_NOT_ALLOWED,
                "UNIMPLEMENTED",
                format!("the method {method} is not served here"),
            )),
        }
    }

    /// What of the instance is asked for.
    fn method<'a>(&self, path: &'a str) -> Checked<&'a str> {
        let SecOpsInstance { project, location, instance, .. } = &self.instance;
        let prefix = format!("/projects/{project}/locations/{location}/instances/{instance}/");
        let versioned = ["/v1", "/v1beta", "/v1alpha"].iter().find_map(|version| {
            path.strip_prefix(version).and_then(|rest| rest.strip_prefix(prefix.as_str()))
        });
        match versioned {
            Some(method @ ("logTypes" | "events:import")) => Ok(method),
            Some(_) => Err(refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "Method not found.")),
            None => Err(refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "The instance was not found.")),
        }
    }

    fn import(&self, request: &Request) -> Checked<Answer> {
        let kind = request.header(CONTENT_TYPE).and_then(|kind| kind.split(';').next());
        if kind != Some("application/json") {
            return Err(invalid("Invalid content type: send application/json."));
        }
        let body = request.body.as_ref().map_err(unreadable)?;
        let text = std::str::from_utf8(body).map_err(|error| invalid(error.to_string()))?;
        let Parsed { value, repeated_keys } = strict_json::parse(text)
            .map_err(|error| invalid(format!("Invalid JSON payload received. {error}")))?;
        let mut answer = Answer::json(StatusCode::OK, &json!({}));
        answer.violations.extend(repetitions(&repeated_keys).map(|reason| (0, reason)));
        let request = object(&value, "request", &["inlineSource"])?;
        let source = request.get("inlineSource").ok_or_else(|| missing("inline_source"))?;
        let source = object(source, "inline_source", &["events"])?;
        let events = source.get("events").and_then(Value::as_array).filter(|events| !events.is_empty());
        for (place, event) in events.ok_or_else(|| missing("inline_source.events"))?.iter().enumerate() {
            let at = format!("inline_source.events[{place}]");
            let event = object(event, &at, &["udm", "name"])?;
            let udm = event.get("udm").ok_or_else(|| missing(&format!("{at}.udm")))?;
            check_event(udm, &format!("{at}.udm"))?;
            let spoiled = spoiled(udm.get("additional"));
            answer.violations.extend(spoiled.map(|reason| (place, reason)));
            answer.records.push(Record { raw: udm.to_string(), value: udm.clone() });
        }
        Ok(answer)
    }
}

impl Rules for ChronicleApi {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[Encoding::Gzip], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        if self.kind(&request.path) == RequestKind::Token {
            return self.endpoint.answer(request);
        }
        self.call(request).unwrap_or_else(Refusal::answer)
    }

    fn kind(&self, path: &str) -> RequestKind {
        if path == GoogleTokens::PATH { RequestKind::Token } else { RequestKind::Ingest }
    }
}

/// How a member of a message has to look.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Texts,
    Time,
    /// One of these words.
    Word(&'static [&'static str]),
    Words(&'static [&'static str]),
    Ips,
    Message(Message),
    Messages(Message),
    /// A protobuf `Struct`: any object.
    Anything,
}

/// The members of a message. Those that no event of an AI gateway has are left out, and are refused.
type Message = &'static [(&'static str, Kind)];

const UDM: Message = &[
    ("metadata", Kind::Message(METADATA)),
    ("principal", Kind::Message(NOUN)),
    ("target", Kind::Message(NOUN)),
    ("src", Kind::Message(NOUN)),
    ("observer", Kind::Message(NOUN)),
    ("intermediary", Kind::Messages(NOUN)),
    ("about", Kind::Messages(NOUN)),
    ("securityResult", Kind::Messages(SECURITY_RESULT)),
    ("network", Kind::Message(&[("sessionId", Kind::Text), ("applicationProtocol", Kind::Text)])),
    ("extensions", Kind::Message(&[("auth", Kind::Message(AUTHENTICATION))])),
    ("additional", Kind::Anything),
];

const METADATA: Message = &[
    ("eventTimestamp", Kind::Time),
    ("collectedTimestamp", Kind::Time),
    ("eventType", Kind::Word(EVENT_TYPES)),
    ("vendorName", Kind::Text),
    ("productName", Kind::Text),
    ("productVersion", Kind::Text),
    ("productEventType", Kind::Text),
    ("productLogId", Kind::Text),
    ("description", Kind::Text),
    ("urlBackToProduct", Kind::Text),
];

const EVENT_TYPES: &[&str] = &["GENERIC_EVENT", "USER_LOGIN", "USER_RESOURCE_ACCESS"];

const NOUN: Message = &[
    ("hostname", Kind::Text),
    ("application", Kind::Text),
    ("namespace", Kind::Text),
    ("url", Kind::Text),
    ("ip", Kind::Ips),
    ("user", Kind::Message(USER)),
    ("resource", Kind::Message(RESOURCE)),
];

const USER: Message = &[
    ("userid", Kind::Text),
    ("userDisplayName", Kind::Text),
    ("emailAddresses", Kind::Texts),
    ("productObjectId", Kind::Text),
];

const RESOURCE: Message =
    &[("name", Kind::Text), ("resourceSubtype", Kind::Text), ("productObjectId", Kind::Text)];

const AUTHENTICATION: Message = &[
    ("type", Kind::Word(&["AUTHTYPE_UNSPECIFIED", "MACHINE", "SSO", "VPN", "PHYSICAL", "TACACS"])),
    ("authDetails", Kind::Text),
];

const SECURITY_RESULT: Message = &[
    (
        "severity",
        Kind::Word(&[
            "UNKNOWN_SEVERITY",
            "INFORMATIONAL",
            "ERROR",
            "NONE",
            "LOW",
            "MEDIUM",
            "HIGH",
            "CRITICAL",
        ]),
    ),
    (
        "action",
        Kind::Words(&[
            "UNKNOWN_ACTION",
            "ALLOW",
            "BLOCK",
            "ALLOW_WITH_MODIFICATION",
            "QUARANTINE",
            "FAIL",
            "CHALLENGE",
        ]),
    ),
    ("actionDetails", Kind::Text),
    ("severityDetails", Kind::Text),
    ("summary", Kind::Text),
    ("description", Kind::Text),
    ("ruleName", Kind::Text),
    ("ruleId", Kind::Text),
    ("ruleSet", Kind::Text),
    ("threatName", Kind::Text),
    ("categoryDetails", Kind::Texts),
];

fn check_event(udm: &Value, at: &str) -> Checked {
    check_message(udm, UDM, at)?;
    for pointer in
        ["/metadata/eventTimestamp", "/metadata/eventType", "/metadata/vendorName", "/metadata/productName"]
    {
        require(udm, pointer)?;
    }
    match text_at(udm, "/metadata/eventType") {
        Some("USER_LOGIN") => {
            require_user(udm, "target")?;
            require(udm, "/extensions/auth/type")?;
            match ["/principal/ip/0", "/principal/hostname", "/target/ip/0", "/target/hostname"]
                .iter()
                .any(|pointer| text_at(udm, pointer).is_some())
            {
                true => Ok(()),
                false => Err(failed("no machine is set in principal or target")),
            }
        }
        Some("USER_RESOURCE_ACCESS") => {
            require_user(udm, "principal")?;
            require(udm, "/target/resource/name")
        }
        // Every event names at least one party.
        _ => ["principal", "target", "src", "observer"]
            .iter()
            .any(|party| udm.get(party).and_then(Value::as_object).is_some_and(|party| !party.is_empty()))
            .then_some(())
            .ok_or_else(|| failed("no noun is set")),
    }
}

fn require_user(udm: &Value, party: &str) -> Checked {
    let known = ["userid", "emailAddresses/0"]
        .iter()
        .any(|name| text_at(udm, &format!("/{party}/user/{name}")).is_some());
    if known { Ok(()) } else { Err(failed(&format!("{party}.user field is not set"))) }
}

fn require(udm: &Value, pointer: &str) -> Checked {
    match text_at(udm, pointer) {
        Some(_) => Ok(()),
        None => {
            Err(failed(&format!("{} field is not set", pointer.trim_start_matches('/').replace('/', "."))))
        }
    }
}

fn text_at<'a>(udm: &'a Value, pointer: &str) -> Option<&'a str> {
    udm.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn check_message(value: &Value, message: Message, at: &str) -> Checked {
    let object = value.as_object().ok_or_else(|| wrong(at, value))?;
    for (name, member) in object {
        let Some((_, kind)) = message.iter().find(|(known, _)| known == name) else {
            return Err(unknown(name, at));
        };
        check_member(member, *kind, &format!("{at}.{name}"))?;
    }
    Ok(())
}

fn check_member(value: &Value, kind: Kind, at: &str) -> Checked {
    let text = value.as_str();
    let each = |kind: Kind| match value.as_array() {
        Some(items) => items.iter().try_for_each(|item| check_member(item, kind, at)),
        None => Err(wrong(at, value)),
    };
    let fits = match kind {
        Kind::Text => text.is_some(),
        Kind::Time => text.is_some_and(|text| iso_ms(text).is_some()),
        Kind::Word(words) => text.is_some_and(|text| words.contains(&text)),
        Kind::Anything => value.is_object(),
        Kind::Texts => return each(Kind::Text),
        Kind::Words(words) => return each(Kind::Word(words)),
        Kind::Messages(message) => return each(Kind::Message(message)),
        Kind::Message(message) => return check_message(value, message, at),
        Kind::Ips => value.as_array().is_some_and(|items| {
            items.iter().all(|ip| ip.as_str().is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_ok()))
        }),
    };
    if fits { Ok(()) } else { Err(wrong(at, value)) }
}

/// What a `Struct` cannot hold.
fn spoiled(additional: Option<&Value>) -> impl Iterator<Item = String> {
    let mut lost = Vec::new();
    collect_inexact(additional.unwrap_or(&Value::Null), &mut lost);
    lost.into_iter().map(|number| format!("{number} in additional loses digits: it becomes a double"))
}

fn collect_inexact(value: &Value, lost: &mut Vec<String>) {
    match value {
        Value::Number(number) => {
            let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            if magnitude.is_some_and(|magnitude| magnitude > LARGEST_EXACT) {
                lost.push(number.to_string());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_inexact(item, lost)),
        Value::Object(members) => members.values().for_each(|member| collect_inexact(member, lost)),
        _ => {}
    }
}

fn object<'a>(value: &'a Value, at: &str, known: &[&str]) -> Checked<&'a Map<String, Value>> {
    let object = value.as_object().ok_or_else(|| wrong(at, value))?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(name) => Err(unknown(name, at)),
        None => Ok(object),
    }
}

fn unknown(name: &str, at: &str) -> Refusal {
    invalid(format!("Invalid JSON payload received. Unknown name \"{name}\" at '{at}': Cannot find field."))
}

fn wrong(at: &str, value: &Value) -> Refusal {
    invalid(format!("Invalid value at '{at}', {value}"))
}

fn missing(field: &str) -> Refusal {
    invalid(format!("{field} is required"))
}

fn failed(reason: &str) -> Refusal {
    invalid(format!("udm validation failed: {reason}"))
}

/// Google's front ends refuse what is too large with a 400, too.
fn unreadable(error: &BodyError) -> Refusal {
    match error {
        BodyError::TooLarge(limit) => {
            invalid(format!("Request payload size exceeds the limit: {limit} bytes."))
        }
        other => invalid(other.to_string()),
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
}

fn refuse(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status, code, message: message.into() }
}

impl Refusal {
    fn answer(self) -> Answer {
        let body = json!({ "error": {
            "code": self.status.as_u16(), "message": self.message, "status": self.code,
        } });
        let mut answer = Answer::json(self.status, &body).refused(format!("{}: {}", self.code, self.message));
        match self.status {
            StatusCode::UNAUTHORIZED => answer.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            StatusCode::METHOD_NOT_ALLOWED => answer.header(ALLOW, HeaderValue::from_static("GET, POST")),
            _ => {}
        }
        answer
    }
}

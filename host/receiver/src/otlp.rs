//! An OTLP/HTTP server for logs in JSON, as the specification describes it.
//!
//! A request that the protobuf types cannot hold is refused whole. What they ignore without a word (a member that they
//! do not know, such as one in snake_case) and what readers lose (the digits of a large number, one of two attributes
//! with the same key) is a violation. Protobuf bodies are refused with 415: a server may take one form only.

use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem};
use crate::strict_json::{self, Parsed, repetitions};

const PATH: &str = "/v1/logs";

/// What the specification recommends to servers.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Codes of `google.rpc.Status`, in which failures are told.
const INVALID_ARGUMENT: u8 = 3;
const NOT_FOUND: u8 = 5;
const OUT_OF_RANGE: u8 = 11;
const UNIMPLEMENTED: u8 = 12;
const UNAUTHENTICATED: u8 = 16;

impl Siem {
    /// A server that wants this bearer token.
    pub fn otlp(token: &str) -> Siem {
        let token = token.to_owned();
        Siem::new(move |config| {
            let max_body_bytes = config.max_body_bytes.unwrap_or(MAX_BODY_BYTES);
            Playing::by(OtlpLogs { token: token.clone(), max_body_bytes })
        })
    }
}

struct OtlpLogs {
    token: String,
    max_body_bytes: usize,
}

struct Refusal {
    status: StatusCode,
    code: u8,
    message: String,
}

impl OtlpLogs {
    fn export(&self, request: &Request) -> Result<Answer, Refusal> {
        if request.path != PATH {
            return Err(refuse(StatusCode::NOT_FOUND, NOT_FOUND, "no such path"));
        }
        if request.method != Method::POST {
            let message = format!("method {}", request.method);
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, UNIMPLEMENTED, message));
        }
        let bearer = request.header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        if bearer != Some(self.token.as_str()) {
            return Err(refuse(
                StatusCode::UNAUTHORIZED,
                UNAUTHENTICATED,
                "the bearer token is not known here",
            ));
        }
        let kind = request.header(CONTENT_TYPE).and_then(|kind| kind.split(';').next()).map(str::trim);
        if kind != Some("application/json") {
            let message = format!("content type {kind:?} is not taken");
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, INVALID_ARGUMENT, message));
        }
        take(request.body.as_ref().map_err(unreadable)?)
    }
}

impl Rules for OtlpLogs {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[Encoding::Gzip], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.export(request).unwrap_or_else(Refusal::answer)
    }
}

/// Takes every log record of a request, or nothing of it.
fn take(body: &[u8]) -> Result<Answer, Refusal> {
    let text = std::str::from_utf8(body).map_err(|error| invalid(format!("the body is no text: {error}")))?;
    let Parsed { value, repeated_keys } =
        strict_json::parse(text).map_err(|error| invalid(format!("the body is not JSON: {error}")))?;
    let mut reader = Reader::default();
    reader.request(&value)?;
    let mut answer = Answer::json(StatusCode::OK, &json!({}));
    answer.violations.extend(repetitions(&repeated_keys).map(|reason| (0, reason)));
    answer.violations.append(&mut reader.violations);
    answer.records = reader.records;
    Ok(answer)
}

/// Walks through a request, in the order of its log records.
#[derive(Default)]
struct Reader {
    records: Vec<Record>,
    violations: Vec<(usize, String)>,
}

type Read<T = ()> = Result<T, Refusal>;

impl Reader {
    fn request(&mut self, value: &Value) -> Read {
        let request = self.object(value, "the request", &["resourceLogs"])?;
        for resource_logs in list(request.get("resourceLogs"), "resourceLogs")? {
            self.resource_logs(resource_logs)?;
        }
        Ok(())
    }

    fn resource_logs(&mut self, value: &Value) -> Read {
        let logs = self.object(value, "resourceLogs", &["resource", "scopeLogs", "schemaUrl"])?;
        let resource = logs.get("resource").unwrap_or(&Value::Null);
        if !resource.is_null() {
            let known = ["attributes", "droppedAttributesCount", "entityRefs"];
            let resource = self.object(resource, "resource", &known)?;
            let names = self.attributes(resource.get("attributes"))?;
            if !names.contains(&"service.name") {
                self.note("the resource has no service.name: it shows as unknown_service");
            }
        }
        for scope_logs in list(logs.get("scopeLogs"), "scopeLogs")? {
            self.scope_logs(scope_logs, resource)?;
        }
        Ok(())
    }

    fn scope_logs(&mut self, value: &Value, resource: &Value) -> Read {
        let logs = self.object(value, "scopeLogs", &["scope", "logRecords", "schemaUrl"])?;
        let scope = logs.get("scope").unwrap_or(&Value::Null);
        if !scope.is_null() {
            let known = ["name", "version", "attributes", "droppedAttributesCount"];
            let scope = self.object(scope, "scope", &known)?;
            for name in ["name", "version"] {
                text(scope.get(name), name)?;
            }
            self.attributes(scope.get("attributes"))?;
        }
        for record in list(logs.get("logRecords"), "logRecords")? {
            self.log_record(record)?;
            let value = json!({ "resource": resource, "scope": scope, "logRecord": record });
            self.records.push(Record { raw: value.to_string(), value });
        }
        Ok(())
    }

    fn log_record(&mut self, value: &Value) -> Read {
        const KNOWN: [&str; 11] = [
            "timeUnixNano",
            "observedTimeUnixNano",
            "severityNumber",
            "severityText",
            "body",
            "attributes",
            "droppedAttributesCount",
            "flags",
            "traceId",
            "spanId",
            "eventName",
        ];
        let record = self.object(value, "a log record", &KNOWN)?;
        for name in ["timeUnixNano", "observedTimeUnixNano"] {
            self.nanoseconds(record.get(name), name)?;
        }
        severity_number(record.get("severityNumber"))?;
        for name in ["severityText", "eventName"] {
            text(record.get(name), name)?;
        }
        for (name, digits) in [("traceId", 32), ("spanId", 16)] {
            hex_id(record.get(name), name, digits)?;
        }
        if let Some(body) = record.get("body") {
            self.any_value(body)?;
        }
        self.attributes(record.get("attributes"))?;
        Ok(())
    }

    /// Decimal digits in a text. A number is read too, but not by everyone to its last digit.
    fn nanoseconds(&mut self, value: Option<&Value>, name: &str) -> Read {
        match value {
            None => self.note(&format!("no {name}")),
            Some(Value::Number(number)) if number.is_u64() => {
                self.note(&format!("{name} is a number: readers lose its last digits"));
            }
            Some(Value::String(digits)) if digits.parse::<u64>().is_ok() => {
                if digits == "0" {
                    self.note(&format!("{name} is 0: unknown"));
                }
            }
            Some(other) => return Err(invalid(format!("{name} {other} is no 64-bit integer"))),
        }
        Ok(())
    }

    /// The keys of a list of attributes.
    fn attributes<'a>(&mut self, value: Option<&'a Value>) -> Read<Vec<&'a str>> {
        let mut names = Vec::new();
        for pair in list(value, "attributes")? {
            let pair = self.object(pair, "an attribute", &["key", "value"])?;
            let key = text(pair.get("key"), "key")?.unwrap_or_default();
            if key.is_empty() {
                self.note("an attribute has no key");
            }
            if names.contains(&key) {
                self.note(&format!("attribute '{key}' comes twice: one of them is lost"));
            }
            names.push(key);
            self.any_value(pair.get("value").unwrap_or(&Value::Null))?;
        }
        Ok(names)
    }

    fn any_value(&mut self, value: &Value) -> Read {
        const KINDS: [&str; 7] = [
            "stringValue",
            "boolValue",
            "intValue",
            "doubleValue",
            "arrayValue",
            "kvlistValue",
            "bytesValue",
        ];
        if value.is_null() {
            return Ok(());
        }
        let object = self.object(value, "a value", &KINDS)?;
        if object.len() > 1 {
            return Err(invalid(format!("the value {value} is of more than one type")));
        }
        let Some((kind, inner)) = object.iter().next() else { return Ok(()) };
        let fits = match kind.as_str() {
            "stringValue" | "bytesValue" => inner.is_string(),
            "boolValue" => inner.is_boolean(),
            "doubleValue" => inner.is_number(),
            "intValue" => return self.integer(inner),
            "arrayValue" => {
                let array = self.object(inner, kind, &["values"])?;
                return list(array.get("values"), "values")?.iter().try_for_each(|item| self.any_value(item));
            }
            "kvlistValue" => {
                let members = self.object(inner, kind, &["values"])?;
                return self.attributes(members.get("values")).map(|_| ());
            }
            _ => true,
        };
        if fits { Ok(()) } else { Err(invalid(format!("{kind} {inner} is of another type"))) }
    }

    fn integer(&mut self, value: &Value) -> Read {
        match value {
            Value::Number(number) if number.is_i64() => {
                self.note("intValue is a number: readers lose the last digits of a large one");
                Ok(())
            }
            Value::String(digits) if digits.parse::<i64>().is_ok() => Ok(()),
            other => Err(invalid(format!("intValue {other} is no 64-bit integer"))),
        }
    }

    fn object<'a>(&mut self, value: &'a Value, what: &str, known: &[&str]) -> Read<&'a Map<String, Value>> {
        let object = value.as_object().ok_or_else(|| invalid(format!("{what} is no object")))?;
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            self.note(&format!("'{key}' in {what} is ignored"));
        }
        Ok(object)
    }

    /// Of the log record that is being read.
    fn note(&mut self, reason: &str) {
        self.violations.push((self.records.len(), reason.to_owned()));
    }
}

fn list<'a>(value: Option<&'a Value>, what: &str) -> Read<&'a [Value]> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(invalid(format!("{what} is no list: {other}"))),
    }
}

fn text<'a>(value: Option<&'a Value>, what: &str) -> Read<Option<&'a str>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(invalid(format!("{what} is no text: {other}"))),
    }
}

/// Enums are integers in OTLP's JSON; their names are not allowed.
fn severity_number(value: Option<&Value>) -> Read {
    match value {
        None => Ok(()),
        Some(number) if number.as_u64().is_some_and(|number| number <= 24) => Ok(()),
        Some(other) => Err(invalid(format!("severityNumber {other} is none of 0 to 24"))),
    }
}

fn hex_id(value: Option<&Value>, name: &str, digits: usize) -> Read {
    let Some(id) = text(value, name)?.filter(|id| !id.is_empty()) else { return Ok(()) };
    if id.len() == digits && id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(invalid(format!("{name} '{id}' is not {digits} hexadecimal digits")))
}

fn unreadable(error: &BodyError) -> Refusal {
    let (status, code) = match error {
        BodyError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, OUT_OF_RANGE),
        BodyError::UnsupportedEncoding(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, INVALID_ARGUMENT),
        BodyError::Corrupt(_) => (StatusCode::BAD_REQUEST, INVALID_ARGUMENT),
    };
    refuse(status, code, error.to_string())
}

fn invalid(message: String) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, INVALID_ARGUMENT, message)
}

fn refuse(status: StatusCode, code: u8, message: impl Into<String>) -> Refusal {
    Refusal { status, code, message: message.into() }
}

impl Refusal {
    fn answer(self) -> Answer {
        let body = json!({ "code": self.code, "message": self.message });
        let mut answer = Answer::json(self.status, &body).refused(self.message);
        match self.status {
            StatusCode::UNAUTHORIZED => answer.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            StatusCode::METHOD_NOT_ALLOWED => answer.header(ALLOW, HeaderValue::from_static("POST")),
            _ => {}
        }
        answer
    }
}

//! The HTTP Data Collector API of Azure Monitor, as it was documented until its retirement.
//!
//! The signature is verified from the request alone, over the length of the body as it came. What the API accepts and
//! then cuts, renames or stamps with another time is a violation. The codes of errors are documented, their place in
//! the body is not: `Error` and `Message` here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use ring::hmac;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Request};
use crate::siem::{Playing, Siem};
use crate::strict_json::{self, Parsed, repetitions};
use crate::timestamp::{HOUR_MS, iso_ms, now_ms};

const PATH: &str = "/api/logs";
const API_VERSION: &str = "2016-04-01";
const MAX_BODY_BYTES: usize = 30_000_000;

/// "32 KB" of one value; the rest is cut off.
const MAX_VALUE_BYTES: usize = 32_000;
/// With the two characters of the type's suffix.
const MAX_COLUMN_BYTES: usize = 45;
const RECOMMENDED_FIELDS: usize = 50;
const MAX_LOG_TYPE_BYTES: usize = 100;

/// A row with one of these is refused.
const RESERVED: &[&str] = &["tenant", "TimeGenerated", "RawData"];

/// How far the clock of a request may be off, by the stricter of what is said about it.
const CLOCK_SKEW_MS: i64 = HOUR_MS / 4;
/// The time of older rows is replaced by the time of arrival.
const OLDEST_MS: i64 = 48 * HOUR_MS;

impl Siem {
    /// `shared_key` is the workspace's key, in base64.
    pub fn azure_data_collector(workspace_id: &str, shared_key: &str) -> Siem {
        let (workspace_id, shared_key) = (workspace_id.to_owned(), shared_key.to_owned());
        Siem::new(move |config| {
            Playing::by(DataCollector {
                workspace_id: workspace_id.clone(),
                shared_key: shared_key.clone(),
                max_body_bytes: config.max_body_bytes.unwrap_or(MAX_BODY_BYTES),
            })
        })
    }
}

struct DataCollector {
    workspace_id: String,
    shared_key: String,
    max_body_bytes: usize,
}

struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl DataCollector {
    fn post(&self, request: &Request) -> Result<Answer, Refusal> {
        if request.path != PATH {
            return Err(refuse(StatusCode::NOT_FOUND, "NotFound", "no such path"));
        }
        if request.method != Method::POST {
            let message = format!("method {}", request.method);
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message));
        }
        check_request(request)?;
        // What is too large is "not found", before anybody looks at the signature.
        let body = request.body.as_ref().map_err(unreadable)?;
        self.verify(request, body.len())?;
        take(body, request.header("time-generated-field"))
    }

    /// The signature is over method, length, type, date and path.
    fn verify(&self, request: &Request, length: usize) -> Result<(), Refusal> {
        let date = request.header("x-ms-date").ok_or_else(|| unauthorized("no x-ms-date"))?;
        let date_ms = httpdate::parse_http_date(date)
            .ok()
            .and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok())
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .ok_or_else(|| unauthorized("x-ms-date is no RFC 1123 date"))?;
        if now_ms().saturating_sub(date_ms).abs() > CLOCK_SKEW_MS {
            return Err(unauthorized("x-ms-date is more than 15 minutes off"));
        }
        let (id, signature) = request
            .header(AUTHORIZATION)
            .and_then(|value| value.strip_prefix("SharedKey "))
            .and_then(|value| value.split_once(':'))
            .ok_or_else(|| unauthorized("no SharedKey authorization"))?;
        let signature = STANDARD.decode(signature).map_err(|_| unauthorized("the signature is no base64"))?;
        let key = STANDARD.decode(&self.shared_key).unwrap_or_default();
        let text = format!("POST\n{length}\napplication/json\nx-ms-date:{date}\n{PATH}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let is_signed = hmac::verify(&key, text.as_bytes(), &signature).is_ok();
        if id == self.workspace_id && is_signed {
            return Ok(());
        }
        Err(unauthorized("the signature is not that of this workspace's key"))
    }
}

impl Rules for DataCollector {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.post(request).unwrap_or_else(Refusal::answer)
    }
}

fn check_request(request: &Request) -> Result<(), Refusal> {
    match request.query_value("api-version").as_deref() {
        Some(API_VERSION) => {}
        Some(_) => return Err(bad("InvalidApiVersion", "use 2016-04-01")),
        None => return Err(bad("MissingApiVersion", "the query has no api-version")),
    }
    match request.header(CONTENT_TYPE) {
        Some("application/json") => {}
        Some(_) => return Err(bad("UnsupportedContentType", "send application/json, and nothing after it")),
        None => return Err(bad("MissingContentType", "send application/json")),
    }
    let is_name = |name: &str| {
        name.len() <= MAX_LOG_TYPE_BYTES
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match request.header("log-type") {
        Some(name) if !name.is_empty() && is_name(name) => Ok(()),
        Some(_) => Err(bad("InvalidLogType", "letters, digits and _, at most 100")),
        None => Err(bad("MissingLogType", "no Log-Type header")),
    }
}

/// Takes one row or an array of them, or nothing.
fn take(body: &[u8], time_field: Option<&str>) -> Result<Answer, Refusal> {
    let rows: Vec<&RawValue> = match body.trim_ascii().first() {
        Some(b'{') => serde_json::from_slice(body).map(|row| vec![row]),
        _ => serde_json::from_slice(body),
    }
    .map_err(|error| invalid(format!("the body is no JSON array: {error}")))?;
    let mut answer = Answer::empty(StatusCode::OK);
    for (place, raw) in rows.into_iter().enumerate() {
        let Parsed { value, repeated_keys } =
            strict_json::parse(raw.get()).map_err(|error| invalid(format!("row {place}: {error}")))?;
        let row = value.as_object().ok_or_else(|| invalid(format!("row {place} is no object")))?;
        if let Some(name) = row.keys().find(|name| RESERVED.contains(&name.as_str())) {
            return Err(invalid(format!("row {place} has the reserved property '{name}'")));
        }
        let reasons = spoiled(row).into_iter().chain(misread_time(row, time_field));
        answer.violations.extend(reasons.chain(repetitions(&repeated_keys)).map(|reason| (place, reason)));
        answer.records.push(Record { value, raw: raw.get().to_owned() });
    }
    Ok(answer)
}

fn spoiled(row: &Map<String, Value>) -> Vec<String> {
    let mut reasons = Vec::new();
    if row.len() > RECOMMENDED_FIELDS {
        reasons.push(format!("{} properties are over {RECOMMENDED_FIELDS}", row.len()));
    }
    for (name, value) in row {
        if !is_column(name) {
            reasons.push(format!("'{name}' with its suffix cannot be a column"));
        }
        match value {
            Value::String(text) if text.len() > MAX_VALUE_BYTES => {
                reasons.push(format!("{} bytes in '{name}' are truncated to {MAX_VALUE_BYTES}", text.len()));
            }
            Value::Array(_) | Value::Object(_) => {
                reasons.push(format!("'{name}' is no text, number or boolean"))
            }
            _ => {}
        }
    }
    reasons
}

fn is_column(name: &str) -> bool {
    name.len() + "_s".len() <= MAX_COLUMN_BYTES
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}

fn misread_time(row: &Map<String, Value>, time_field: Option<&str>) -> Option<String> {
    const FORM: &str = "2026-06-08T20:15:30Z";
    let Some(time) = time_field.and_then(|name| row.get(name)) else {
        return Some("no time-generated-field: the row gets the time of arrival".to_owned());
    };
    let time_ms =
        time.as_str().filter(|text| text.len() == FORM.len() && text.ends_with('Z')).and_then(iso_ms);
    let Some(time_ms) = time_ms else { return Some(format!("{time} is not of the form {FORM}")) };
    let is_too_old = now_ms().saturating_sub(time_ms) > OLDEST_MS;
    is_too_old.then(|| format!("{time} is replaced by the time of arrival"))
}

fn unreadable(error: &BodyError) -> Refusal {
    match error {
        BodyError::TooLarge(_) => refuse(StatusCode::NOT_FOUND, "NotFound", error.to_string()),
        BodyError::UnsupportedEncoding(_) | BodyError::Corrupt(_) => invalid(error.to_string()),
    }
}

fn invalid(message: String) -> Refusal {
    bad("InvalidDataFormat", message)
}

fn bad(code: &'static str, message: impl Into<String>) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, code, message)
}

fn unauthorized(message: &str) -> Refusal {
    refuse(StatusCode::FORBIDDEN, "InvalidAuthorization", message)
}

fn refuse(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status, code, message: message.into() }
}

impl Refusal {
    fn answer(self) -> Answer {
        let body = json!({ "Error": self.code, "Message": self.message });
        let mut answer = Answer::json(self.status, &body).refused(format!("{}: {}", self.code, self.message));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            answer.header(ALLOW, HeaderValue::from_static("POST"));
        }
        answer
    }
}

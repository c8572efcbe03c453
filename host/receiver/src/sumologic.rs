//! Sumo Logic's HTTP source.
//!
//! Sumo Logic says 200 to any text. What it then slices, misdates or does not parse is a violation here, and so is a
//! body over the 1 MB that it recommends.

use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem};
use crate::strict_json::{self, Parsed, repetitions};
use crate::timestamp::iso_ms;

const PATH: &str = "/receiver/v1/http";
const TOKEN_HEADER: &str = "x-sumo-token";
const FIELDS_HEADER: &str = "x-sumo-fields";

/// No limit is documented: this one is only there to have one.
const MAX_BODY_BYTES: usize = 20_000_000;
const RECOMMENDED_BYTES: usize = 1_000_000;
const MAX_MESSAGE_BYTES: usize = 65_536;

/// Where the time is looked for: the beginning of the message.
const TIME_KEY: &str = r#"{"timestamp":""#;

impl Siem {
    /// Takes the code at the end of the path, and the same as a token in the header.
    pub fn sumologic(secret: &str) -> Siem {
        let secret = secret.to_owned();
        Siem::new(move |config| {
            let max_body_bytes = config.max_body_bytes.unwrap_or(MAX_BODY_BYTES);
            Playing::by(HttpSource { secret: secret.clone(), max_body_bytes })
        })
    }
}

struct HttpSource {
    secret: String,
    max_body_bytes: usize,
}

struct Refusal {
    status: StatusCode,
    reason: String,
}

impl HttpSource {
    fn messages(&self, request: &Request) -> Result<Answer, Refusal> {
        let below =
            request.path.strip_prefix(PATH).ok_or_else(|| refuse(StatusCode::NOT_FOUND, "no such path"))?;
        let code = below.strip_prefix('/').unwrap_or(below);
        let secret = if code.is_empty() { request.header(TOKEN_HEADER) } else { Some(code) };
        if secret != Some(self.secret.as_str()) {
            return Err(refuse(StatusCode::UNAUTHORIZED, "no such source"));
        }
        if request.method != Method::POST {
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, format!("method {}", request.method)));
        }
        let mut answer = take(request.body.as_ref().map_err(unreadable)?);
        let fields = request.header(FIELDS_HEADER).unwrap_or_default();
        let unreadable_fields = fields.split(',').filter(|field| !field.is_empty() && !is_field(field));
        answer.violations.extend(unreadable_fields.map(|field| (0, format!("field '{field}' is dropped"))));
        Ok(answer)
    }
}

impl Rules for HttpSource {
    fn limits(&self) -> BodyLimits {
        BodyLimits {
            encodings: &[Encoding::Gzip, Encoding::Deflate, Encoding::Zstd],
            max_bytes: self.max_body_bytes,
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.messages(request).unwrap_or_else(Refusal::answer)
    }
}

fn take(body: &[u8]) -> Answer {
    let mut answer = Answer::empty(StatusCode::OK);
    if body.len() > RECOMMENDED_BYTES {
        let reason = format!("a body of {} bytes is over the recommended {RECOMMENDED_BYTES}", body.len());
        answer.violations.push((0, reason));
    }
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    for (place, line) in lines.enumerate() {
        let text = String::from_utf8_lossy(line);
        let (value, reasons) = message(&text);
        answer.violations.extend(reasons.into_iter().map(|reason| (place, reason)));
        answer.records.push(Record { value, raw: text.into_owned() });
    }
    answer
}

/// What is stored of one message, and what is wrong with it.
fn message(text: &str) -> (Value, Vec<String>) {
    let as_text = || Value::String(text.to_owned());
    if text.contains('\u{fffd}') {
        return (as_text(), vec!["the message is not UTF-8".to_owned()]);
    }
    if text.len() > MAX_MESSAGE_BYTES {
        let reason = format!("{} bytes are sliced into messages of {MAX_MESSAGE_BYTES}", text.len());
        return (as_text(), vec![reason]);
    }
    let Ok(Parsed { value, repeated_keys }) = strict_json::parse(text) else {
        return (as_text(), vec!["the message is not JSON: its fields are lost".to_owned()]);
    };
    let mut reasons: Vec<String> = repetitions(&repeated_keys).collect();
    let time = text.strip_prefix(TIME_KEY).and_then(|rest| rest.split('"').next());
    if time.and_then(iso_ms).is_none() {
        reasons.push("the message does not begin with its time: it gets the first that is found".to_owned());
    }
    (value, reasons)
}

fn is_field(field: &str) -> bool {
    field.split_once('=').is_some_and(|(name, value)| !name.trim().is_empty() && !value.contains('='))
}

fn unreadable(error: &BodyError) -> Refusal {
    let status = match error {
        BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::UnsupportedEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        BodyError::Corrupt(_) => StatusCode::BAD_REQUEST,
    };
    refuse(status, error.to_string())
}

fn refuse(status: StatusCode, reason: impl Into<String>) -> Refusal {
    Refusal { status, reason: reason.into() }
}

impl Refusal {
    /// Bodies of refusals are not documented.
    fn answer(self) -> Answer {
        let mut answer = Answer::empty(self.status).refused(self.reason);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            answer.header(ALLOW, HeaderValue::from_static("POST"));
        }
        answer
    }
}

//! What the headers of a request say about its body.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};

use crate::answer::RequestError;
use crate::compression::Encoding;
use crate::items::Format;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_KEY_BYTES: usize = 255;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestHead {
    pub(crate) encoding: Encoding,
    /// None: to be seen from the body.
    pub(crate) format: Option<Format>,
    pub(crate) idempotency_key: Option<String>,
    /// The most that the body can have, by what the head says of it.
    pub(crate) body_bytes: usize,
    /// The most that it may have.
    pub(crate) body_limit: usize,
}

impl RequestHead {
    pub(crate) fn parse(headers: &HeaderMap, body_limit: usize) -> Result<RequestHead, RequestError> {
        let declared = text(headers, &CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
        if declared.is_some_and(|length| length > body_limit) {
            return Err(RequestError::BodyTooLarge { limit: body_limit });
        }
        Ok(RequestHead {
            encoding: encoding(headers)?,
            format: text(headers, &CONTENT_TYPE).and_then(Format::of_content_type),
            idempotency_key: idempotency_key(headers)?,
            body_bytes: declared.unwrap_or(body_limit),
            body_limit,
        })
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, RequestError> {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    let value = values.next().map_or(Ok(""), |value| value.to_str());
    let value = value.map_err(|_| RequestError::Encoding("not text".to_owned()))?;
    match (Encoding::parse(value), values.next()) {
        (Some(encoding), None) => Ok(encoding),
        _ => Err(RequestError::Encoding(value.chars().take(100).collect())),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, RequestError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.as_bytes();
    let valid = (1..=IDEMPOTENCY_KEY_BYTES).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    let key = value.to_str().ok().filter(|_| valid).ok_or(RequestError::IdempotencyKey)?;
    Ok(Some(key.to_owned()))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

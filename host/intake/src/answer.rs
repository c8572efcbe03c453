//! What producers are answered: JSON always, an error always as `{"error":{"reason","hint"}}`.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use crate::batch::{Batch, Refused, TooManyEvents};
use crate::compression::{DecompressError, SUPPORTED};
use crate::event_log::AppendError;
use crate::otlp::LogsError;
use crate::signature::SignatureFault;

/// When to try again after a full disk: an operator or expiry has to free it first.
const DISK_RESERVE_RETRY: Duration = Duration::from_secs(30);
/// When to try again while the host stops, its store fails or its memory is taken.
const STORE_RETRY: Duration = Duration::from_secs(5);
/// By the name that other services with an `Idempotency-Key` use. In a header, so that the body is that of the first answer.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

#[derive(Debug, Serialize)]
struct Outcome<'a> {
    accepted: usize,
    refused: &'a [Refused],
    /// Only when more were refused than are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_count: Option<usize>,
    /// How many values were taken out of the accepted events.
    #[serde(skip_serializing_if = "is_zero")]
    redacted: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ErrorText>,
}

#[derive(Debug, Serialize)]
struct ErrorText {
    reason: String,
    hint: &'static str,
}

/// The body of a 200, as text: a repetition of the request is answered with the same.
pub(crate) fn accepted_text(batch: &Batch) -> String {
    outcome_text(batch, None)
}

pub(crate) fn accepted(text: String) -> Response {
    json(StatusCode::OK, text)
}

/// The first answer once more, marked: whoever counts can tell that nothing was stored this time.
pub(crate) fn repeated(text: String) -> Response {
    let mut response = accepted(text);
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// Not one event was accepted, and at least one was sent.
pub(crate) fn none_accepted(batch: &Batch) -> Response {
    let (status, reason, hint) = if batch.unreadable {
        (
            StatusCode::BAD_REQUEST,
            "the body could not be read as events",
            "send one JSON object, an array of them, or one on each line as application/x-ndjson",
        )
    } else {
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            "no event was accepted",
            "mend what the list of refused events names",
        )
    };
    let error = ErrorText { reason: reason.to_owned(), hint };
    json(status, outcome_text(batch, Some(&error)))
}

fn outcome_text(batch: &Batch, error: Option<&ErrorText>) -> String {
    let refused_count = (batch.refused_count() > batch.refused.len()).then_some(batch.refused_count());
    let accepted = batch.events.len();
    to_text(&Outcome { accepted, refused: &batch.refused, refused_count, redacted: batch.redacted, error })
}

/// Why a request was refused as a whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("{0}")]
    Unauthorized(&'static str),
    #[error("{0}")]
    Unsigned(SignatureFault),
    #[error("the source may send {per_second} events a second, and has sent more")]
    RateLimited { per_second: u32, wait: Duration },
    #[error("the content encoding {0:?} is not supported; supported are {SUPPORTED}")]
    Encoding(String),
    #[error("the content type is none of application/x-protobuf and application/json")]
    MediaType,
    #[error("the header Idempotency-Key must have 1 to 255 visible ASCII characters")]
    IdempotencyKey,
    #[error("the body has more than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("the body did not arrive within {} seconds", .0.as_secs())]
    TooSlow(Duration),
    #[error("the body did not arrive whole")]
    Interrupted,
    #[error("the body is empty")]
    Empty,
    #[error(transparent)]
    Decompress(#[from] DecompressError),
    #[error(transparent)]
    TooManyEvents(#[from] TooManyEvents),
    #[error(transparent)]
    Logs(#[from] LogsError),
    #[error("the events cannot be stored now")]
    Append(#[from] AppendError),
    #[error("other requests hold the memory for requests")]
    Busy,
    #[error("the host stops")]
    Stopping,
    #[error("there is nothing at this path")]
    NotFound,
    #[error("the method is not allowed here")]
    Method,
}

impl RequestError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            RequestError::Unauthorized(_) | RequestError::Unsigned(_) => StatusCode::UNAUTHORIZED,
            RequestError::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            RequestError::Encoding(_) | RequestError::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            RequestError::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            RequestError::BodyTooLarge { .. }
            | RequestError::TooManyEvents(_)
            | RequestError::Logs(LogsError::TooMany { .. } | LogsError::TooLarge { .. })
            | RequestError::Decompress(DecompressError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            RequestError::IdempotencyKey
            | RequestError::Interrupted
            | RequestError::Empty
            | RequestError::Logs(LogsError::Unreadable(_))
            | RequestError::Decompress(DecompressError::Damaged { .. }) => StatusCode::BAD_REQUEST,
            RequestError::Append(AppendError::KeyReused) => StatusCode::UNPROCESSABLE_ENTITY,
            RequestError::Append(_) | RequestError::Busy | RequestError::Stopping => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            RequestError::NotFound => StatusCode::NOT_FOUND,
            RequestError::Method => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// As metrics name it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            RequestError::Unauthorized(_) => "unauthorized",
            RequestError::Unsigned(_) => "signature",
            RequestError::RateLimited { .. } => "rate-limit",
            RequestError::Encoding(_) => "encoding",
            RequestError::MediaType => "media-type",
            RequestError::IdempotencyKey => "idempotency-key",
            RequestError::BodyTooLarge { .. }
            | RequestError::Logs(LogsError::TooLarge { .. })
            | RequestError::Decompress(DecompressError::TooLarge { .. }) => "too-large",
            RequestError::TooManyEvents(_) | RequestError::Logs(LogsError::TooMany { .. }) => {
                "too-many-events"
            }
            RequestError::TooSlow(_) => "too-slow",
            RequestError::Interrupted => "interrupted",
            RequestError::Empty => "empty",
            RequestError::Decompress(DecompressError::Damaged { .. })
            | RequestError::Logs(LogsError::Unreadable(_)) => "unreadable",
            RequestError::Append(AppendError::DiskReserve { .. }) => "disk-reserve",
            RequestError::Append(AppendError::KeyReused) => "key-reused",
            RequestError::Append(AppendError::Storage(_)) => "storage",
            RequestError::Busy => "busy",
            RequestError::Append(AppendError::Closed) | RequestError::Stopping => "stopping",
            RequestError::NotFound => "not-found",
            RequestError::Method => "method",
        }
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self {
            RequestError::Unauthorized(_) => "send the source's token: Authorization: Bearer TOKEN",
            RequestError::Unsigned(fault) => fault.hint(),
            RequestError::RateLimited { .. } => {
                "try again after Retry-After, or raise the rate of the source"
            }
            RequestError::Encoding(_) => "name one supported encoding, or none for a plain body",
            RequestError::MediaType => "set the content type of the exporter: http/protobuf or http/json",
            RequestError::Logs(LogsError::Unreadable(_)) => {
                "check that the content type names how the body is encoded, and send logs, not traces or metrics"
            }
            RequestError::Logs(LogsError::TooMany { .. } | LogsError::TooLarge { .. }) => {
                "send fewer log records in a request; nothing of it was stored"
            }
            RequestError::IdempotencyKey => "use a UUID for each request, and the same one when trying again",
            RequestError::BodyTooLarge { .. }
            | RequestError::Decompress(DecompressError::TooLarge { .. }) => "send fewer events in a request",
            RequestError::TooManyEvents(_) => "split the batch; nothing of it was stored",
            RequestError::TooSlow(_) | RequestError::Interrupted => "send the request again",
            RequestError::Empty => "send a JSON object, an array or NDJSON",
            RequestError::Decompress(DecompressError::Damaged { .. }) => {
                "check that Content-Encoding names how the body is compressed"
            }
            RequestError::Append(AppendError::DiskReserve { .. }) => {
                "free space on the disk of the store; the events were not taken, send them again"
            }
            RequestError::Append(AppendError::KeyReused) => {
                "use a new Idempotency-Key for a request with other events"
            }
            RequestError::Busy => {
                "the events were not taken; send them again, in fewer requests at the same time"
            }
            RequestError::Append(AppendError::Closed) | RequestError::Stopping => {
                "the events were not taken; send them again"
            }
            RequestError::Append(AppendError::Storage(_)) => {
                "the host's log says more; the events may not have been taken, send them again"
            }
            RequestError::NotFound | RequestError::Method => {
                "events go to POST /v1/events, OpenTelemetry logs to /v1/logs, signed webhooks to /v1/webhooks/SOURCE"
            }
        }
    }

    pub(crate) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            RequestError::Unauthorized(_) => {
                Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"siemaphore\"")))
            }
            RequestError::RateLimited { wait, .. } => Some(retry_after(*wait)),
            RequestError::Append(AppendError::DiskReserve { .. }) => Some(retry_after(DISK_RESERVE_RETRY)),
            RequestError::Append(AppendError::KeyReused) => None,
            RequestError::Append(_) | RequestError::Busy | RequestError::Stopping => {
                Some(retry_after(STORE_RETRY))
            }
            RequestError::Method => Some((ALLOW, HeaderValue::from_static("POST"))),
            _ => None,
        }
    }

    /// What the producer reads. The store's own words stay in the host's log.
    pub(crate) fn reason(&self) -> String {
        match self {
            RequestError::Append(AppendError::Storage(_)) => self.to_string(),
            RequestError::Append(error) => error.to_string(),
            _ => self.to_string(),
        }
    }
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct ErrorBody {
            error: ErrorText,
        }
        let body = ErrorBody { error: ErrorText { reason: self.reason(), hint: self.hint() } };
        let mut response = json(self.status(), to_text(&body));
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// In whole seconds, rounded up: a producer that comes back early is only turned away again.
fn retry_after(wait: Duration) -> (HeaderName, HeaderValue) {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    (RETRY_AFTER, HeaderValue::from(seconds.max(1)))
}

fn json(status: StatusCode, text: String) -> Response {
    let content_type = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (status, [content_type], Body::from(text)).into_response()
}

/// Numbers, text and lists always have a JSON form.
fn to_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

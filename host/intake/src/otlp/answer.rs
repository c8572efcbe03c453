//! Answers as OTLP/HTTP wants them, in the encoding of the request.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use prost::Message;
use serde_json::json;

use super::Encoding;
use crate::answer::RequestError;
use crate::batch::Batch;

/// How many refused records a message tells apart.
const REASONS: usize = 5;

/// `google.rpc.Status`, as far as it is used.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// 200, also when records were refused: a client must not send those again, and learns how many they were and why.
pub(crate) fn accepted(batch: &Batch, encoding: Encoding) -> Response {
    let rejected = i64::try_from(batch.refused_count()).unwrap_or(i64::MAX);
    let partial = (rejected > 0)
        .then(|| ExportLogsPartialSuccess { rejected_log_records: rejected, error_message: reasons(batch) });
    let body = match (encoding, partial) {
        (Encoding::Protobuf, partial_success) => {
            ExportLogsServiceResponse { partial_success }.encode_to_vec()
        }
        (Encoding::Json, None) => b"{}".to_vec(),
        (Encoding::Json, Some(partial)) => {
            let rejected = partial.rejected_log_records.to_string();
            let partial = json!({ "rejectedLogRecords": rejected, "errorMessage": partial.error_message });
            json!({ "partialSuccess": partial }).to_string().into_bytes()
        }
    };
    response(StatusCode::OK, encoding, body)
}

fn reasons(batch: &Batch) -> String {
    let listed = batch.refused.iter().take(REASONS);
    let listed: Vec<String> =
        listed.map(|refused| format!("log record {}: {}", refused.index, refused.reason)).collect();
    let more = batch.refused_count().saturating_sub(listed.len());
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    listed.join("; ") + &more
}

/// A `google.rpc.Status` with the reason and what to do.
pub(crate) fn refused(error: &RequestError, encoding: Encoding) -> Response {
    let (status, code) = status(error);
    let message = format!("{}; {}", error.reason(), error.hint());
    let body = match encoding {
        Encoding::Protobuf => Status { code, message }.encode_to_vec(),
        Encoding::Json => json!({ "code": code, "message": message }).to_string().into_bytes(),
    };
    let mut response = response(status, encoding, body);
    if let Some((name, value)) = error.header() {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The statuses, and the codes of gRPC. Clients send again after 429, 502, 503 and 504 only: what arrived too slowly or
/// in part is answered 503, so that it is not lost.
fn status(error: &RequestError) -> (StatusCode, i32) {
    const INVALID_ARGUMENT: i32 = 3;
    const RESOURCE_EXHAUSTED: i32 = 8;
    const UNAVAILABLE: i32 = 14;
    const UNAUTHENTICATED: i32 = 16;
    let status = match error {
        RequestError::TooSlow(_) | RequestError::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        error => error.status(),
    };
    let code = match status {
        StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYLOAD_TOO_LARGE => RESOURCE_EXHAUSTED,
        StatusCode::SERVICE_UNAVAILABLE => UNAVAILABLE,
        _ => INVALID_ARGUMENT,
    };
    (status, code)
}

fn response(status: StatusCode, encoding: Encoding, body: Vec<u8>) -> Response {
    let content_type = (CONTENT_TYPE, HeaderValue::from_static(encoding.content_type()));
    (status, [content_type], Body::from(body)).into_response()
}

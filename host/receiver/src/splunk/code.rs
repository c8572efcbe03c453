//! Splunk's table of answers: the HTTP status, the code in the body and its text.

/// One line of Splunk's table of answers.
#[derive(Clone, Copy)]
pub(super) struct Code {
    pub(super) status: u16,
    pub(super) code: u16,
    pub(super) text: &'static str,
}

pub(super) const SUCCESS: Code = code(200, 0, "Success");
pub(super) const TOKEN_REQUIRED: Code = code(401, 2, "Token is required");
pub(super) const INVALID_AUTHORIZATION: Code = code(401, 3, "Invalid authorization");
pub(super) const INVALID_TOKEN: Code = code(403, 4, "Invalid token");
pub(super) const NO_DATA: Code = code(400, 5, "No data");
pub(super) const INVALID_FORMAT: Code = code(400, 6, "Invalid data format");
pub(super) const INCORRECT_INDEX: Code = code(400, 7, "Incorrect index");
pub(super) const CHANNEL_MISSING: Code = code(400, 10, "Data channel is missing");
pub(super) const INVALID_CHANNEL: Code = code(400, 11, "Invalid data channel");
pub(super) const EVENT_REQUIRED: Code = code(400, 12, "Event field is required");
pub(super) const EVENT_BLANK: Code = code(400, 13, "Event field cannot be blank");
pub(super) const ACK_DISABLED: Code = code(400, 14, "ACK is disabled");
pub(super) const INDEXED_FIELDS: Code = code(400, 15, "Error in handling indexed fields");
pub(super) const QUERY_STRING_AUTHORIZATION: Code =
    code(400, 16, "Query string authorization is not enabled");
pub(super) const HEALTHY: Code = code(200, 17, "HEC is healthy");
pub(super) const HEALTH_INVALID_TOKEN: Code = code(400, 21, "Invalid token");
pub(super) const ACK_CHANNEL_FULL: Code = code(429, 27, "ACK channel is at capacity");
/// What Splunk Cloud says instead of [`CHANNEL_MISSING`].
pub(super) const CLOUD_CHANNEL_MISSING: Code = code(
    400,
    28,
    "Data channel is missing. Acknowledgement needs a channel, and sticky sessions at load balancers",
);
pub(super) const NOT_FOUND: Code = code(404, 404, "The requested URL was not found on this server.");
pub(super) const METHOD_NOT_ALLOWED: Code =
    code(405, 405, "The requested method is not allowed for this URL.");
pub(super) const TOO_LARGE: Code = code(413, 413, "The content is larger than this server takes.");
pub(super) const UNSUPPORTED_ENCODING: Code = code(415, 415, "The content encoding is not supported.");

const fn code(status: u16, code: u16, text: &'static str) -> Code {
    Code { status, code, text }
}

//! What OTLP servers answer.
//!
//! A success has a body, which may say that some records were not taken, never which. What may be sent again is named
//! by the specification: 429, 502, 503 and 504. Everything else of a server's would fail again.

use serde::Deserialize;
use siemaphore_sdk::{Fate, Partial, Response, Uncertain, Verdict};

/// `ExportLogsServiceResponse`, and the `Status` of a failure. Unknown members are to be ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    #[serde(rename = "partialSuccess", alias = "partial_success")]
    partial_success: Option<PartialSuccess>,
    code: i64,
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PartialSuccess {
    #[serde(rename = "rejectedLogRecords", alias = "rejected_log_records")]
    rejected: Option<Count>,
    #[serde(rename = "errorMessage", alias = "error_message")]
    message: String,
}

/// A 64-bit integer: by the rules a text, from some servers a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Count {
    Number(i64),
    Text(String),
}

impl Count {
    fn get(&self) -> u32 {
        let count = match self {
            Count::Number(number) => *number,
            Count::Text(digits) => digits.parse().unwrap_or_default(),
        };
        u32::try_from(count.max(0)).unwrap_or(u32::MAX)
    }
}

pub(crate) fn interpret(response: &Response) -> Verdict {
    // Serde would take a list for a struct.
    let is_object = response.body.trim_ascii_start().starts_with(b"{");
    let answer: Option<Answer> = is_object.then(|| serde_json::from_slice(&response.body).ok()).flatten();
    if response.is_success() {
        return success(response, answer);
    }
    let reason = match answer.map(|answer| answer.message).filter(|message| !message.is_empty()) {
        Some(message) => format!("status {}: {message}", response.status),
        None => format!("status {}", response.status),
    };
    match response.status {
        400 => Verdict::rejected(reason, "the server could not read the logs; its own log says more"),
        401 | 403 => Verdict::hold(
            reason,
            "give this destination the token that the server expects, in the header that it expects: the vendor's page on \
             OTLP names both (Authorization: Bearer, api-key, ...)",
        ),
        404 | 405 => Verdict::hold(
            reason,
            "give the endpoint without /v1/logs, which is appended, and with the path that the vendor puts before it; \
             collectors take OTLP/HTTP on port 4318 (4317 is gRPC), with a logs pipeline",
        ),
        415 => Verdict::hold(
            reason,
            "the server takes no JSON: put an OpenTelemetry Collector between, which takes it and sends protobuf",
        ),
        413 => Verdict::Split,
        429 | 502..=504 => Verdict::Standard,
        // By the specification not even a 500 may be sent again. Replaying dead letters is an operator's decision.
        500..=599 => Verdict::rejected(
            reason,
            "OTLP forbids sending this again: see the server's log, then replay the dead letters",
        ),
        _ => Verdict::Standard,
    }
}

fn success(response: &Response, answer: Option<Answer>) -> Verdict {
    let body = response.body.trim_ascii();
    let Some(answer) = answer.or_else(|| body.is_empty().then(Answer::default)) else {
        return Verdict::hold(
            format!("status {} with a body that is not OTLP's", response.status),
            "something else answers at this endpoint: check it, its port (4318) and proxies on the way",
        );
    };
    if answer.code != 0 {
        return Verdict::hold(
            format!("status {} with error {}: {}", response.status, answer.code, answer.message),
            "something on the way to the server answers errors with success: check proxies",
        );
    }
    match answer.partial_success {
        Some(partial) => partial_success(response, partial),
        None => Verdict::Delivered(None),
    }
}

fn partial_success(response: &Response, partial: PartialSuccess) -> Verdict {
    let rejected = partial.rejected.as_ref().map_or(0, Count::get);
    match rejected {
        0 if partial.message.is_empty() => Verdict::Delivered(None),
        0 => Verdict::delivered_but(
            format!("the server warns: {}", partial.message),
            "the logs were taken; the server's documents say what the warning asks for",
            None,
        ),
        // All of them: here it is known which.
        rejected if rejected >= response.records => {
            let rest = Fate::Rejected(format!("the server took none: {}", partial.message));
            Verdict::Partial(Partial { runs: Vec::new(), rest, note: None })
        }
        rejected => Verdict::Uncertain(Uncertain {
            lost: rejected,
            reason: format!("the server does not say which it refused: {}", partial.message),
        }),
    }
}

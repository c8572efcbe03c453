//! What Datadog's answers mean.
//!
//! Version 2 accepts with 202, the older version with 200; neither says anything about single items.

use serde::Deserialize;
use siemaphore_sdk::{Response, Verdict};

/// What Datadog answers when it refuses.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    errors: Vec<Problem>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Problem {
    Words(String),
    Structured {
        #[serde(default)]
        title: String,
        #[serde(default)]
        detail: String,
    },
}

pub(crate) fn interpret(response: &Response) -> Verdict {
    let answer: Answer = serde_json::from_slice(&response.body).unwrap_or_default();
    let has_errors = !answer.errors.is_empty();
    let reason = reason(response.status, answer);
    match response.status {
        200..300 if has_errors => Verdict::hold(
            reason,
            "Datadog accepts without a word about errors: something on the way to it answers, so check proxies",
        ),
        200..300 if is_datadogs(response) => Verdict::Delivered(None),
        200..300 => Verdict::hold(
            format!("status {} with a body that is not Datadog's", response.status),
            "something else answers at this endpoint: use https://http-intake.logs.<site>, such as http-intake.logs.datadoghq.eu",
        ),
        400 => Verdict::rejected(reason, "Datadog could not read the logs"),
        401 => Verdict::hold(reason, "give this destination an API key, sent in the header DD-API-KEY"),
        403 => Verdict::hold(
            reason,
            "the key is wrong, is an application key instead of an API key, or belongs to another site: the endpoint has to name \
             the site where the key was made (datadoghq.com, us3, us5, ap1, ap2, datadoghq.eu, uk1, ddog-gov.com)",
        ),
        404 => Verdict::hold(
            reason,
            "give the endpoint without a path (no /v1/input), on the host http-intake.logs.<site>",
        ),
        413 => Verdict::Split,
        _ => Verdict::Standard,
    }
}

/// An accepted request is answered with an empty object or nothing; a proxy's login page is neither.
fn is_datadogs(response: &Response) -> bool {
    let body = response.body.trim_ascii();
    body.is_empty() || body.starts_with(b"{")
}

fn reason(status: u16, answer: Answer) -> String {
    let words: Vec<String> = answer
        .errors
        .into_iter()
        .map(|problem| match problem {
            Problem::Words(words) => words,
            Problem::Structured { title, detail } if title.is_empty() || title == detail => detail,
            Problem::Structured { title, detail } if detail.is_empty() => title,
            Problem::Structured { title, detail } => format!("{title}: {detail}"),
        })
        .collect();
    if words.is_empty() {
        return format!("status {status}");
    }
    format!("status {status}: {}", words.join("; "))
}

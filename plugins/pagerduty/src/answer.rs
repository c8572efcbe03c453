//! What PagerDuty's answers mean.
//!
//! It says 202 and `success` when it has taken an event, and 400 with a list of errors when it never will. A wrong key
//! is among those errors, though it is no fault of the event.

use serde::Deserialize;
use siemaphore_sdk::{Response, Retry, Verdict};

/// PagerDuty asks for half a minute between attempts.
const PAUSE_MS: u64 = 30_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    status: String,
    message: String,
    errors: Vec<String>,
}

pub(crate) fn interpret(response: &Response) -> Verdict {
    let answer: Answer = serde_json::from_slice(&response.body).unwrap_or_default();
    let reason = reason(response, &answer);
    match response.status {
        202 if answer.status == "success" => Verdict::Delivered(None),
        200..300 => Verdict::hold(
            reason,
            "PagerDuty answers 202 with the status success, so something else answers here: give the endpoint \
             https://events.pagerduty.com or https://events.eu.pagerduty.com, and check proxies",
        ),
        400 if names_the_key(&reason) => Verdict::hold(
            reason,
            "give this destination the integration key of an Events API v2 integration, 32 letters and digits (an API \
             key is another thing), and the endpoint of the account's region",
        ),
        400 if answer.status == "invalid event" => {
            Verdict::rejected(reason, "PagerDuty will never take this event: report it with the errors")
        }
        401 | 403 => Verdict::hold(
            reason,
            "check the integration key, that the integration and its service still exist, and the endpoint's region",
        ),
        404 | 405 => Verdict::hold(reason, "give the endpoint without a path: https://events.pagerduty.com"),
        429 => Verdict::Retry(Retry {
            // What PagerDuty asks for itself comes first.
            after_ms: response.header("retry-after").is_none().then_some(PAUSE_MS),
            reason: format!(
                "{reason}; PagerDuty takes about 120 events a minute for an integration: set `events_per_second = 1`, raise \
                 `minimum_severity`, or use several integrations"
            ),
        }),
        _ => Verdict::Standard,
    }
}

fn names_the_key(reason: &str) -> bool {
    let words = reason.to_ascii_lowercase();
    ["routing_key", "routing key", "integration key", "service key"].iter().any(|name| words.contains(name))
}

fn reason(response: &Response, answer: &Answer) -> String {
    const MOST_CHARACTERS: usize = 400;
    let words = std::iter::once(&answer.message).chain(&answer.errors);
    let words: Vec<&str> = words.map(String::as_str).filter(|words| !words.is_empty()).collect();
    if words.is_empty() {
        return response.reason();
    }
    let words: String = words.join("; ").chars().take(MOST_CHARACTERS).collect();
    format!("status {}: {}", response.status, words.replace(char::is_control, " "))
}

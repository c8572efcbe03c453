//! What the Chronicle API answers.
//!
//! A success is an empty object. One invalid event has the whole request refused, and the answer hardly says which.

use serde::Deserialize;
use siemaphore_sdk::{Response, Verdict};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    error: Problem,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    message: String,
    status: String,
}

pub(crate) fn interpret(response: &Response) -> Verdict {
    let problem = problem(response);
    let reason = reason(response.status, &problem);
    match response.status {
        200..300 => success(response, &problem, reason),
        // Google's front ends say so before the API is asked.
        400 if problem.message.contains("payload size exceeds") => Verdict::Split,
        400 => Verdict::rejected(
            reason,
            "Google SecOps refuses a request for one event that is no valid UDM; `siemaphore dead-letters show` has it",
        ),
        401 => Verdict::hold(
            reason,
            "the access token is not believed: check the service account's key and the scope \
             https://www.googleapis.com/auth/cloud-platform; keys of the old Ingestion API are not taken",
        ),
        403 => Verdict::hold(
            reason,
            "enable the Chronicle API in the project, and give the service account there a role with \
             chronicle.events.import (and chronicle.logTypes.list for destination test)",
        ),
        404 => Verdict::hold(
            reason,
            "check project, location and instance (the customer id with its hyphens), and that the endpoint is of the \
             same location: https://LOCATION-chronicle.googleapis.com",
        ),
        413 => Verdict::Split,
        _ => Verdict::Standard,
    }
}

fn success(response: &Response, problem: &Problem, reason: String) -> Verdict {
    let body = response.body.trim_ascii();
    if !problem.status.is_empty() || !problem.message.is_empty() {
        return Verdict::hold(
            reason,
            "something on the way to Google answers errors with success: check proxies",
        );
    }
    if body.is_empty() || body.starts_with(b"{") {
        return Verdict::Delivered(None);
    }
    Verdict::hold(
        format!("status {} with a body that is not the Chronicle API's", response.status),
        "something else answers at this endpoint: use https://LOCATION-chronicle.googleapis.com",
    )
}

fn problem(response: &Response) -> Problem {
    // Serde would take a list for a struct.
    if !response.body.trim_ascii_start().starts_with(b"{") {
        return Problem::default();
    }
    serde_json::from_slice::<Answer>(&response.body).unwrap_or_default().error
}

fn reason(status: u16, problem: &Problem) -> String {
    let mut reason = format!("status {status}");
    for (separator, words) in [(" ", &problem.status), (": ", &problem.message)] {
        if !words.is_empty() {
            reason.push_str(separator);
            reason.push_str(words);
        }
    }
    reason
}

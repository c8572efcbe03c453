//! What Azure Monitor's answers mean.
//!
//! Success is 204 without a body. An error names its code in the body, or at least in a header.

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
    code: String,
    message: String,
}

/// Azure may call a request near its limit of 1 MB "not found".
const LARGE_BODY_BYTES: u32 = 900_000;

pub(crate) fn interpret(response: &Response) -> Verdict {
    let problem = problem(response);
    let reason = reason(response, &problem);
    let divisible = response.records > 1;
    match response.status {
        200..300 if response.body.trim_ascii_start().starts_with(b"<") => Verdict::hold(
            reason,
            "a web page answers at this endpoint: use the logs ingestion endpoint of the rule",
        ),
        200..300 if !(problem.code.is_empty() && problem.message.is_empty()) => Verdict::hold(
            reason,
            "Azure accepts without a word about errors: something on the way to it answers, so check proxies",
        ),
        200..300 => Verdict::Delivered(None),
        // Neighbours in a batch are neighbours in time, so halves span less of it.
        _ if problem.code == "RecordsTimeRangeIsMoreThan30Minutes" && divisible => Verdict::Split,
        _ if was_cut_off(&problem) => Verdict::Split,
        400 => Verdict::rejected(
            reason,
            "compare the events with the stream's columns in the data collection rule",
        ),
        401 => Verdict::hold(
            reason,
            "the token is not for this cloud: the scope has to be https://monitor.azure.com/.default \
             (monitor.azure.us and monitor.azure.cn in the other clouds), and the tenant has to be the rule's",
        ),
        403 => Verdict::hold(
            reason,
            "give the app's service principal the role Monitoring Metrics Publisher on the data collection rule; \
             it takes up to 30 minutes to work",
        ),
        404 if divisible && response.body_bytes > LARGE_BODY_BYTES => Verdict::Split,
        404 => Verdict::hold(
            reason,
            "check the rule's immutable id (not its name or resource id), the stream's name, and that the endpoint is \
             in the rule's region",
        ),
        413 => Verdict::Split,
        _ => Verdict::Standard,
    }
}

/// How Azure ends a request that is too large to be read in time.
fn was_cut_off(problem: &Problem) -> bool {
    problem.code == "TimeoutExpired" && problem.message.contains("ReadyBody_ClientConnectionAbort")
}

fn problem(response: &Response) -> Problem {
    let mut problem = serde_json::from_slice::<Answer>(&response.body).unwrap_or_default().error;
    if problem.code.is_empty() {
        problem.code = response.header("x-ms-error-code").unwrap_or_default().to_owned();
    }
    problem
}

fn reason(response: &Response, problem: &Problem) -> String {
    let mut reason = format!("status {}", response.status);
    for (separator, words) in [(" ", &problem.code), (": ", &problem.message)] {
        if !words.is_empty() {
            reason.push_str(separator);
            reason.push_str(words);
        }
    }
    reason
}

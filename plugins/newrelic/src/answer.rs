//! What New Relic's answers mean.
//!
//! New Relic accepts with 202 before it has looked at the logs, and says nothing about single ones.

use siemaphore_sdk::{Response, Verdict};

pub(crate) fn interpret(response: &Response) -> Verdict {
    match response.status {
        202 if is_new_relics(response) => Verdict::Delivered(None),
        200..300 => Verdict::hold(
            format!("status {}, and New Relic accepts with 202 and an object", response.status),
            "something else answers at this endpoint: use https://log-api.newrelic.com, or that of your region, and check proxies",
        ),
        400 => Verdict::rejected(response.reason(), "New Relic could not read the logs"),
        401 | 403 => Verdict::hold(
            response.reason(),
            "give this destination a license key (not a user key, NRAK-…), sent in the header Api-Key, and the endpoint of the \
             account's region: https://log-api.newrelic.com, or https://log-api.eu.newrelic.com",
        ),
        404 => Verdict::hold(
            response.reason(),
            "give the endpoint without a path: https://log-api.newrelic.com, or that of your region",
        ),
        _ => Verdict::Standard,
    }
}

/// New Relic says nothing, or an object; a proxy's login page is neither.
fn is_new_relics(response: &Response) -> bool {
    let body = response.body.trim_ascii();
    body.is_empty() || body.starts_with(b"{")
}

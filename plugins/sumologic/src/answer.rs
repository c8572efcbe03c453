//! What Sumo Logic's answers mean.
//!
//! Sumo Logic accepts with 200, also while an ingest budget drops what is sent: that cannot be seen here.

use siemaphore_sdk::{Response, Verdict};

pub(crate) fn interpret(response: &Response) -> Verdict {
    match response.status {
        200 if is_sumos(response) => Verdict::Delivered(None),
        200..300 => Verdict::hold(
            format!("status {} with a body that is not Sumo Logic's", response.status),
            "something else answers at this endpoint: use the URL that Sumo Logic shows for the HTTP source, and check proxies",
        ),
        401 => Verdict::hold(
            response.reason(),
            "the code at the end of the URL, or the token, is not that of a source: copy it again. Regenerating a URL ends the \
             old one at once, and the new one may take some minutes",
        ),
        404 => Verdict::hold(
            response.reason(),
            "give the endpoint https://<host>/receiver/v1/http/{secret}, or without {secret} when the token goes into the header \
             x-sumo-token; the host is the one that Sumo Logic shows",
        ),
        // Sumo Logic gave up reading after 30 seconds, and may have kept a part.
        408 if response.records > 1 => Verdict::Split,
        429 => Verdict::retry(
            "status 429: the account is over its rate; what was in the request is dropped there and sent again",
        ),
        _ => Verdict::Standard,
    }
}

/// Sumo Logic says nothing, or an object; a proxy's login page is neither.
fn is_sumos(response: &Response) -> bool {
    let body = response.body.trim_ascii();
    body.is_empty() || body.starts_with(b"{")
}

//! What a receiver's answers mean.
//!
//! A receiver may answer with any 2xx and any body, so only a page for people, which a proxy's login shows, is not
//! believed. Signature libraries differ in the status for a bad signature, so its words are looked for.

use siemaphore_sdk::{Response, Verdict};

pub(crate) fn interpret(response: &Response) -> Verdict {
    let reason = response.reason();
    match response.status {
        200..300 if response.is_web_page() => Verdict::hold(
            format!("status {} with a web page", response.status),
            "something else answers at this endpoint, such as a proxy's login page: correct the endpoint",
        ),
        200..300 => Verdict::Delivered(None),
        400 if names_signature(response) => Verdict::hold(
            reason,
            "the receiver does not accept the signature: give both sides the same secret, use the receiver's scheme \
             (standard-webhooks or hmac), and compare their clocks, which may differ by five minutes",
        ),
        401 | 403 => Verdict::hold(
            reason,
            "give this destination the receiver's secret and its way of authentication; for signatures, compare the \
             clocks too",
        ),
        404 => Verdict::hold(
            reason,
            "correct the endpoint or the setting `path`: the receiver does not know the URL",
        ),
        405 => Verdict::hold(reason, "set `method` to what the receiver takes: post or put"),
        410 => Verdict::hold(
            reason,
            "the receiver wants no more events: disable this destination or change its endpoint",
        ),
        415 => Verdict::hold(reason, "set `content_type` to what the receiver takes, and leave `gzip` off"),
        _ => Verdict::Standard,
    }
}

fn names_signature(response: &Response) -> bool {
    let words = response.text().to_ascii_lowercase();
    ["signature", "webhook-id", "webhook-timestamp", "timestamp too old", "timestamp too new"]
        .iter()
        .any(|sign| words.contains(sign))
}

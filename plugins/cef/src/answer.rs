//! What a collector's answers mean. Nothing is known of its bodies, so only a page for people is not believed.

use siemaphore_sdk::{Response, Verdict};

pub(crate) fn interpret(response: &Response) -> Verdict {
    let reason = response.reason();
    match response.status {
        200..300 if response.is_web_page() => Verdict::hold(
            format!("status {} with a web page", response.status),
            "something else answers at this endpoint, such as a proxy's login page: correct the endpoint",
        ),
        200..300 => Verdict::Delivered(None),
        401 | 403 => {
            Verdict::hold(reason, "give this destination the collector's token and its way of authentication")
        }
        404 => Verdict::hold(
            reason,
            "correct the endpoint or the setting `path`: the collector does not know the URL",
        ),
        405 => Verdict::hold(
            reason,
            "correct the endpoint or the setting `path`: the collector takes no POST there",
        ),
        415 => Verdict::hold(reason, "set `content_type` to what the collector takes, and leave `gzip` off"),
        _ => Verdict::Standard,
    }
}

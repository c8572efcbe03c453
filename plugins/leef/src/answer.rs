//! What QRadar's HTTP Receiver, or another collector, means by its answers. Neither statuses nor bodies are documented,
//! so only a page for people is not believed, and whatever refuses a request as a whole holds.

use siemaphore_sdk::{Response, Verdict};

pub(crate) fn interpret(response: &Response) -> Verdict {
    let reason = response.reason();
    match response.status {
        200..300 if response.is_web_page() => Verdict::hold(
            format!("status {} with a web page", response.status),
            "something else answers at this endpoint, such as QRadar's console: give the port of the HTTP Receiver log \
             source, by default 12469",
        ),
        200..300 => Verdict::Delivered(None),
        401 | 403 => Verdict::hold(
            reason,
            "QRadar's receiver knows clients by their certificate only: check the one of this destination, or give \
             another collector's token",
        ),
        404 => Verdict::hold(reason, "correct the endpoint or the setting `path`: QRadar's receiver is at /"),
        405 | 415 => {
            Verdict::hold(reason, "this is not a receiver for events: correct the endpoint's port and path")
        }
        _ => Verdict::Standard,
    }
}

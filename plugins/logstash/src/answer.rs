//! What the answers of an http input mean.
//!
//! The input answers when its queue has taken the events, with the body "ok" and the status that its `response_code`
//! says: 200, 201, 202 or 204. It answers so, too, when it could not read them as JSON.

use siemaphore_sdk::{Response, Verdict};

pub(crate) fn interpret(response: &Response) -> Verdict {
    match response.status {
        200..=202 if response.body.trim_ascii() == b"ok" => Verdict::Delivered(None),
        204 if response.body.is_empty() => Verdict::Delivered(None),
        200..300 => Verdict::hold(
            format!("status {} without Logstash's \"ok\"", response.status),
            format!(
                "{}: give the address and port of Logstash's http input (8080 unless it is set)",
                who_answers(response)
            ),
        ),
        401 => Verdict::hold(
            response.reason(),
            "give the user and the password of the http input (its options user and password)",
        ),
        400 | 403 | 404 | 405 => Verdict::hold(
            response.reason(),
            format!(
                "{}: Logstash's http input takes every path; give its own port (8080 unless it is set)",
                who_answers(response)
            ),
        ),
        429 => {
            Verdict::retry("status 429: Logstash's queue is full, its pipeline is slower than what arrives")
        }
        _ => Verdict::Standard,
    }
}

/// By what else listens beside Logstash, and on the ports that are taken for it.
fn who_answers(response: &Response) -> &'static str {
    let text = response.text();
    if text.contains("Splunk") || text.contains("splunkd") || text.contains("<response>") {
        "Splunk answers here, whose management port is 8089"
    } else if text.contains("cluster_name") || text.contains("illegal_argument_exception") {
        "Elasticsearch answers here"
    } else {
        "something else answers here"
    }
}

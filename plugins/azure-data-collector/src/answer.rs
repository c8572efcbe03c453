//! What the Data Collector API answers.
//!
//! Success is 200. An error names its code, most of which are about the request and not about the rows.

use serde::Deserialize;
use siemaphore_sdk::{Response, Verdict};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    #[serde(rename = "Error", alias = "error")]
    code: String,
    #[serde(rename = "Message", alias = "message")]
    message: String,
}

/// A large request may be called "not found".
const LARGE_BODY_BYTES: u32 = 1_000_000;

const RETIRED: &str = "Microsoft retired this API on 2026-09-14: move this destination to the formatter sentinel (Logs Ingestion API)";

pub(crate) fn interpret(response: &Response) -> Verdict {
    // Serde would take a list for a struct.
    let is_object = response.body.trim_ascii_start().starts_with(b"{");
    let answer: Answer = match is_object {
        true => serde_json::from_slice(&response.body).unwrap_or_default(),
        false => Answer::default(),
    };
    let reason = reason(response.status, &answer);
    match response.status {
        200..300 if !answer.code.is_empty() => {
            hold(reason, "something on the way to Azure answers errors with success: check proxies")
        }
        200..300 if response.body.trim_ascii_start().starts_with(b"<") => hold(
            reason,
            "a web page answers at this endpoint: use https://WORKSPACE_ID.ods.opinsights.azure.com",
        ),
        200..300 => Verdict::Delivered(None),
        400 if answer.code == "InvalidDataFormat" || answer.code.is_empty() => {
            Verdict::rejected(reason, format!("Azure could not read the rows. {RETIRED}"))
        }
        400 => hold(reason, hint(&answer.code)),
        401 | 403 => hold(
            reason,
            "the workspace id and the key do not belong together, or this machine's clock is wrong: copy the primary \
             key of the workspace that the endpoint names",
        ),
        404 if response.records > 1 && response.body_bytes > LARGE_BODY_BYTES => Verdict::Split,
        404 | 410 => {
            hold(reason, "the endpoint is https://WORKSPACE_ID.ods.opinsights.azure.com, without a path")
        }
        413 => Verdict::Split,
        _ => Verdict::Standard,
    }
}

/// The codes of a 400 that every request would get.
fn hint(code: &str) -> &'static str {
    match code {
        "InactiveCustomer" => "the workspace is closed",
        "InvalidCustomerId" => "the workspace id is wrong: copy it from the workspace's overview",
        "InvalidLogType" | "MissingLogType" => {
            "the setting log_type is no name of a table: letters, digits and _"
        }
        "InvalidApiVersion" | "MissingApiVersion" => {
            "a proxy changes the query: the API version is 2016-04-01"
        }
        _ => "a proxy changes the request: the content type is application/json",
    }
}

fn hold(reason: String, hint: &str) -> Verdict {
    Verdict::hold(reason, format!("{hint}. {RETIRED}"))
}

fn reason(status: u16, answer: &Answer) -> String {
    let mut reason = format!("status {status}");
    for (separator, words) in [(" ", &answer.code), (": ", &answer.message)] {
        if !words.is_empty() {
            reason.push_str(separator);
            reason.push_str(words);
        }
    }
    reason
}

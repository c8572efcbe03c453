//! What HEC's answers mean.
//!
//! HEC says more in the `code` of its body than in the status, so the code decides and the status is the fallback.
//! The codes are those of Enterprise and Cloud, including the ones that only newer versions send.

use serde::Deserialize;
use siemaphore_sdk::{Response, Verdict};

/// What HEC answers, with success and with failure.
#[derive(Debug, Default, Deserialize)]
struct Answer {
    code: Option<u32>,
    #[serde(default)]
    text: String,
    /// Of the first object that HEC could not take, from 0.
    #[serde(rename = "invalid-event-number")]
    invalid_event_number: Option<u32>,
}

/// How long to leave an indexer alone whose queue is nearly full.
const PAUSE_MS: u64 = 5_000;

/// Above this, Splunk Cloud calls an oversized request badly formatted.
const CLOUD_BODY_BYTES: u32 = 5_000_000;

pub(crate) fn interpret(response: &Response) -> Verdict {
    let answer: Answer = serde_json::from_slice(&response.body).unwrap_or_default();
    match answer.code {
        Some(code) => by_code(code, &answer, response),
        None => by_status(response),
    }
}

fn by_code(code: u32, answer: &Answer, response: &Response) -> Verdict {
    let reason = format!("HEC code {code}: {}", answer.text);
    match code {
        0 | 17 if response.is_success() => Verdict::Delivered(None),
        24 | 25 if response.is_success() => Verdict::delivered_but(
            reason,
            "the indexer is close to its capacity: add indexers or send less",
            Some(PAUSE_MS),
        ),
        5 => Verdict::rejected(reason, "HEC saw an empty request: check proxies on the way"),
        6 | 12 | 13 | 15 => bad_event(code, answer, response, reason),
        8 | 9 | 18 | 19 | 20 | 23 | 26 | 27 => Verdict::retry(reason),
        _ => match hint(code) {
            Some(hint) => Verdict::hold(reason, hint),
            // For errors below its own layer, HEC repeats the status as the code.
            None => by_status(response),
        },
    }
}

/// HEC reads objects in order and keeps those before the bad one.
fn bad_event(code: u32, answer: &Answer, response: &Response, reason: String) -> Verdict {
    if code == 6 && response.body_bytes > CLOUD_BODY_BYTES && response.records > 1 {
        return Verdict::Split;
    }
    match answer.invalid_event_number {
        Some(index) if index < response.records => Verdict::stopped_at(index, reason),
        _ => Verdict::rejected(reason, "HEC does not say which event it could not read"),
    }
}

fn hint(code: u32) -> Option<&'static str> {
    Some(match code {
        1 | 22 => "enable the token in Settings > Data inputs > HTTP Event Collector",
        2 => "give this destination a HEC token",
        3 => "the header has to be `Authorization: Splunk <token>`: use the prefix `Splunk `, not `Bearer `",
        4 | 21 => "check the token's value, and that it exists on every indexer behind this endpoint",
        7 => "allow the index in the token's settings, or change or empty the setting `index`",
        10 | 28 => "the token demands indexer acknowledgement: switch it off for this token",
        11 => {
            "the token demands indexer acknowledgement and a proxy sends a bad channel: switch acknowledgement off"
        }
        14 => {
            "something on the way asks for acknowledgement, which this token does not have: point the endpoint at HEC"
        }
        16 => "send the token in the Authorization header, not in the URL",
        _ => return None,
    })
}

fn by_status(response: &Response) -> Verdict {
    let status = response.status;
    match status {
        200..300 => Verdict::hold(
            format!("status {status} without HEC's answer in the body"),
            "something else than HEC answers at this endpoint: use port 8088, or 443 and the http-inputs host on Cloud",
        ),
        401 | 403 => Verdict::hold(
            format!("status {status} without HEC's answer in the body"),
            "a proxy refuses the request, or this is Splunk's management port: HEC listens on 8088, or 443 on Cloud",
        ),
        404 => Verdict::hold(
            "status 404",
            "HEC is not at this address: check the port (8088, or 443 on Cloud) and that HEC is enabled in its Global Settings",
        ),
        405 => Verdict::hold(
            "status 405",
            "this path does not take POST: give the endpoint without a path of its own",
        ),
        413 => Verdict::Split,
        415 => {
            Verdict::hold("status 415", "a proxy changes the compression of requests: HEC takes gzip only")
        }
        _ => Verdict::Standard,
    }
}

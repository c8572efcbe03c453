//! What HEC's answers mean.
//!
//! HEC says more in the `code` of its body than in the status, so the code decides and the status is the fallback.
//! The codes are those of Enterprise and Cloud, including the ones that only newer versions send.

use serde::Deserialize;
use siemaphore_sdk::{Fate, Note, Response, Retry, Verdict};

use crate::acknowledgement::Channel;

/// What HEC answers, with success and with failure.
#[derive(Debug, Default, Deserialize)]
struct Answer {
    code: Option<u32>,
    #[serde(default)]
    text: String,
    /// Of the first object that HEC could not take, from 0.
    #[serde(rename = "invalid-event-number")]
    invalid_event_number: Option<u32>,
    /// The number to ask for, when the token has indexer acknowledgement and the request named a channel.
    #[serde(rename = "ackId")]
    ack_id: Option<u64>,
}

/// How long to leave an indexer alone whose queue is nearly full.
const PAUSE_MS: u64 = 5_000;

/// How long an indexer that shuts down is gone at least.
const RESTART_MS: u64 = 15_000;

/// Above this, Splunk Cloud calls an oversized request badly formatted.
const CLOUD_BODY_BYTES: u32 = 5_000_000;

/// The verdict on an answer. With a channel, events count as delivered when Splunk has indexed them.
pub(crate) fn interpret(response: &Response, channel: Option<&Channel>) -> Verdict {
    match channel {
        Some(channel) if response.is_follow_up() => channel.interpret(response, taken, refused_poll),
        channel => answered(response, channel),
    }
}

fn answered(response: &Response, channel: Option<&Channel>) -> Verdict {
    let answer: Answer = serde_json::from_slice(&response.body).unwrap_or_default();
    match answer.code {
        Some(code @ (0 | 24 | 25)) if response.is_success() => accepted(code, &answer, channel),
        Some(code) => by_code(code, &answer, response, channel.is_some()),
        None => by_status(response),
    }
}

/// HEC has the events. Whether that is the end depends on acknowledgement.
fn accepted(code: u32, answer: &Answer, channel: Option<&Channel>) -> Verdict {
    match (channel, answer.ack_id) {
        (None, _) => taken(code),
        (Some(channel), Some(id)) => channel.wait_for(id, code),
        // Sending again would get the same answer and double the events.
        (Some(_), None) => Verdict::delivered_but(
            format!("HEC code {code}: the events were taken, and no acknowledgement is offered"),
            "this token has no indexer acknowledgement: switch it on in the token's settings, or the setting \
             `indexer_acknowledgement` off",
            (code != 0).then_some(PAUSE_MS),
        ),
    }
}

/// The events have arrived, and the code of HEC's first answer may have been a warning.
fn taken(code: u32) -> Verdict {
    match code {
        24 => Verdict::delivered_but(
            "HEC code 24: the indexer's queue approaches its capacity",
            "add indexers or send less",
            Some(PAUSE_MS),
        ),
        25 => Verdict::delivered_but(
            "HEC code 25: open acknowledgements approach their capacity",
            "the indexers confirm more slowly than events arrive: add indexers or send less",
            Some(PAUSE_MS),
        ),
        _ => Verdict::Delivered(None),
    }
}

fn by_code(code: u32, answer: &Answer, response: &Response, acknowledged: bool) -> Verdict {
    let reason = format!("HEC code {code}: {}", answer.text);
    match code {
        // Only a probe asks for the health, and it brings no records.
        17 if response.is_success() && response.records == 0 => Verdict::Delivered(None),
        5 => Verdict::rejected(reason, "HEC saw an empty request: check proxies on the way"),
        6 | 12 | 13 | 15 => bad_event(code, answer, response, reason, acknowledged),
        8 | 9 | 18 | 19 | 20 | 26 | 27 => Verdict::retry(reason),
        23 => Verdict::Retry(Retry { after_ms: Some(RESTART_MS), reason }),
        _ => match hint(code, acknowledged) {
            Some(hint) => Verdict::hold(reason, hint),
            // For errors below its own layer, HEC repeats the status as the code.
            None => by_status(response),
        },
    }
}

/// HEC reads objects in order and keeps those before the bad one.
fn bad_event(code: u32, answer: &Answer, response: &Response, reason: String, acknowledged: bool) -> Verdict {
    if code == 6 && response.body_bytes > CLOUD_BODY_BYTES && response.records > 1 {
        return Verdict::Split;
    }
    let Some(index) = answer.invalid_event_number.filter(|index| *index < response.records) else {
        return Verdict::rejected(reason, bad_event_hint(code));
    };
    let mut verdict = Verdict::stopped_at(index, format!("{reason}: {}", bad_event_hint(code)));
    if let Verdict::Partial(partial) = &mut verdict
        && acknowledged
        && partial.runs.iter().any(|run| run.fate == Fate::Delivered)
    {
        partial.note = Some(Note {
            reason: format!("HEC took {index} events before a bad one and offers no acknowledgement of them"),
            hint: "they count as delivered: sending them again would double them".to_owned(),
            pause_ms: None,
        });
    }
    verdict
}

fn bad_event_hint(code: u32) -> &'static str {
    match code {
        12 => "HEC found no `event` in it",
        13 => "HEC found its `event` empty",
        15 => "HEC takes flat values only as indexed fields",
        _ => "HEC cannot read it as one of its JSON objects of at most 5 MB",
    }
}

fn hint(code: u32, acknowledged: bool) -> Option<&'static str> {
    Some(match code {
        1 | 22 => "enable the token in Settings > Data inputs > HTTP Event Collector",
        2 => "give this destination a HEC token",
        3 => "the header has to be `Authorization: Splunk <token>`: use the prefix `Splunk `, not `Bearer `",
        4 | 21 => "check the token's value, and that it exists on every indexer behind this endpoint",
        7 => "allow the index in the token's settings, or change or empty the setting `index`",
        10 | 28 if acknowledged => {
            "something on the way removes the header X-Splunk-Request-Channel: let proxies pass it"
        }
        10 | 28 => {
            "the token demands indexer acknowledgement: switch the setting `indexer_acknowledgement` on, or \
             acknowledgement off for this token"
        }
        11 if acknowledged => {
            "something on the way changes the header X-Splunk-Request-Channel: let proxies pass it"
        }
        11 => {
            "something on the way adds a channel that is no GUID: remove it there, or switch the setting \
             `indexer_acknowledgement` on"
        }
        14 if acknowledged => {
            "switch indexer acknowledgement on in the token's settings, or the setting `indexer_acknowledgement` off"
        }
        14 => {
            "something on the way asks for acknowledgement, which this token does not have: point the endpoint at HEC"
        }
        16 => "send the token in the Authorization header, not in the URL",
        17 => {
            "HEC's health endpoint took the events and ignored them: give the endpoint without a path of its own"
        }
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

/// A poll that will be refused again. It never judges the events, which HEC has taken: they are kept until polls work.
fn refused_poll(response: &Response) -> Verdict {
    let answer: Answer = serde_json::from_slice(&response.body).unwrap_or_default();
    let code_hint = answer.code.and_then(|code| hint(code, true));
    let reason = match answer.code {
        Some(code) => format!("HEC took the events and refuses the poll with code {code}: {}", answer.text),
        None => format!("HEC took the events and answers the poll with status {}", response.status),
    };
    let otherwise = "the endpoint has to lead to /services/collector/ack as well, at the indexer that took the events: \
                     check balancers and proxies on the way, or switch the setting `indexer_acknowledgement` off";
    Verdict::hold(reason, code_hint.unwrap_or(otherwise))
}

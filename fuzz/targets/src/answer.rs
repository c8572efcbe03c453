//! An answer of a SIEM: cleaned, read by each built-in formatter, and acted upon.
//!
//! Promises: nothing panics, whatever status, headers and body are; an event counts as delivered on a 2xx only.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use siemaphore_delivery::fuzzing::cleaned;
use siemaphore_delivery::{Answer, follow_up_response_for_guest, response_for_guest};
use siemaphore_formatter_datadog::Datadog;
use siemaphore_formatter_sentinel::Sentinel;
use siemaphore_formatter_splunk::Splunk;
use siemaphore_model::formatter::{Fate, Note, Partial, Pending, Phase, Refusal, Response, Run, Verdict};
use siemaphore_sdk::testkit::{self, Configured};
use siemaphore_sdk::{self as sdk, Formatter};

use crate::check;
use crate::guest::decided;
use crate::words::Words;

/// The formatters, configured as their own examples show it.
static SPLUNK: LazyLock<Configured<Splunk>> = LazyLock::new(configured);
static DATADOG: LazyLock<Configured<Datadog>> = LazyLock::new(configured);
static SENTINEL: LazyLock<Configured<Sentinel>> = LazyLock::new(configured);

fn configured<F: Formatter>() -> Configured<F> {
    testkit::configure(&testkit::describe::<F>().settings_example).expect("the example is accepted")
}

/// `status \0 records \0 header name \0 header value \0 state \0 body`
pub fn run(input: &[u8]) {
    let mut words = Words::of(input);
    let status = u16::try_from(words.number() % 1000).unwrap_or_default();
    let records = u32::try_from(words.number() % 5000).unwrap_or_default();
    let mut headers = HeaderMap::new();
    let (name, value) = (words.bytes(), words.bytes());
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
        headers.insert(name, value);
    }
    let state = words.bytes().to_vec();
    let body = Bytes::copy_from_slice(words.rest());
    let truncated = body.len().is_multiple_of(7);
    let answer = cleaned(&[], siemaphore_http::Answer { status, headers, body, truncated });
    for response in [
        response_for_guest(&answer, records, 10_000),
        follow_up_response_for_guest(&answer, state, records, 10_000),
    ] {
        let response = for_sdk(response);
        for said in [SPLUNK.interpret(&response), DATADOG.interpret(&response), SENTINEL.interpret(&response)]
        {
            let verdict = check::verdict(for_host(said), records)
                .unwrap_or_else(|broken| panic!("a built-in formatter breaks the contract: {broken}"));
            decided(&answer, verdict, records);
        }
    }
}

/// An answer without secrets or headers.
pub(crate) fn plain_answer(status: u16, body: &[u8]) -> Answer {
    let (headers, body) = (HeaderMap::new(), Bytes::copy_from_slice(body));
    cleaned(&[], siemaphore_http::Answer { status, headers, body, truncated: false })
}

// === As the sandbox converts, without an engine between the two sides ===

fn for_sdk(response: Response) -> sdk::Response {
    sdk::Response {
        phase: match response.phase {
            Phase::First => sdk::Phase::First,
            Phase::FollowUp => sdk::Phase::FollowUp,
        },
        state: response.state,
        status: response.status,
        headers: response.headers,
        body: response.body,
        truncated: response.truncated,
        records: response.records,
        body_bytes: response.body_bytes,
    }
}

fn for_host(verdict: sdk::Verdict) -> Verdict {
    let refusal = |refusal: sdk::Refusal| Refusal { reason: refusal.reason, hint: refusal.hint };
    match verdict {
        sdk::Verdict::Standard => Verdict::Standard,
        sdk::Verdict::Delivered(words) => Verdict::Delivered(words.map(note)),
        sdk::Verdict::Partial(partial) => Verdict::Partial(Partial {
            runs: partial
                .runs
                .into_iter()
                .map(|run| Run { first: run.first, count: run.count, fate: fate(run.fate) })
                .collect(),
            rest: fate(partial.rest),
            note: partial.note.map(note),
        }),
        sdk::Verdict::Retry(retry) => Verdict::Retry { after_ms: retry.after_ms, reason: retry.reason },
        sdk::Verdict::Split => Verdict::Split,
        sdk::Verdict::Hold(words) => Verdict::Hold(refusal(words)),
        sdk::Verdict::Rejected(words) => Verdict::Rejected(refusal(words)),
        sdk::Verdict::Uncertain(uncertain) => {
            Verdict::Uncertain { lost: uncertain.lost, reason: uncertain.reason }
        }
        sdk::Verdict::Pending(pending) => Verdict::Pending(Pending {
            after_ms: pending.after_ms,
            query: pending.query,
            body: pending.body,
            state: pending.state,
        }),
    }
}

fn fate(fate: sdk::Fate) -> Fate {
    match fate {
        sdk::Fate::Delivered => Fate::Delivered,
        sdk::Fate::Duplicate => Fate::Duplicate,
        sdk::Fate::Retry => Fate::Retry,
        sdk::Fate::Rejected(reason) => Fate::Rejected(reason),
    }
}

fn note(note: sdk::Note) -> Note {
    Note { reason: note.reason, hint: note.hint, pause_ms: note.pause_ms }
}

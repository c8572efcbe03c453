//! What arrived: records, requests and violations, for tests to look at and for `quickstart` to show.
//!
//! Waiting is woken by the arrival itself. With a bound, the oldest entries go first and the totals go on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::{broadcast, watch};
use tokio::time::timeout;

use crate::answer::{Answer, Record};
use crate::request::Request;

/// How far a subscriber may fall behind before it misses exchanges.
const SUBSCRIBER_BACKLOG: usize = 256;

/// One record that the SIEM took.
#[derive(Clone, Debug)]
pub struct Received {
    pub at: SystemTime,
    /// The number of the request that brought it: see [`RequestLog::number`].
    pub request: u64,
    pub path: String,
    pub record: Value,
    /// The record's own text, as sent.
    pub raw: String,
    /// All headers of the request, the credentials too.
    pub headers: Arc<HeaderMap>,
}

/// One request, answered or not.
#[derive(Clone, Debug)]
pub struct RequestLog {
    pub at: SystemTime,
    /// Counts from 0 in order of arrival.
    pub number: u64,
    pub method: Method,
    pub path: String,
    /// Without the question mark; empty when there is none.
    pub query: String,
    pub headers: Arc<HeaderMap>,
    /// `None` when a fault left the request without an answer.
    pub status: Option<StatusCode>,
    /// The body as sent.
    pub compressed_bytes: usize,
    /// The body after decompression; 0 when it could not be decompressed or was over the cap.
    pub plain_bytes: usize,
    /// How many records the SIEM took from it.
    pub records: usize,
    /// Why it was refused, in words.
    pub refusal: Option<String>,
}

/// Something that the SIEM would have accepted and spoiled without a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The number of the request: see [`RequestLog::number`].
    pub request: u64,
    /// The record's place in the request, from 0.
    pub item: usize,
    pub reason: String,
}

/// One request with the records that it brought, for live display.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub request: RequestLog,
    pub received: Vec<Received>,
}

/// Everything so far, including what is no longer kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub records: u64,
    pub requests: u64,
    pub violations: u64,
}

/// What was waited for did not come in time.
#[derive(Debug, Error)]
#[error(
    "waited {timeout:?} for {wanted} {what}; there are {} records in {} requests{}",
    totals.records, totals.requests, refusals(last_refusals)
)]
pub struct WaitTimeout {
    pub what: &'static str,
    pub wanted: u64,
    pub timeout: Duration,
    pub totals: Totals,
    /// Why the last refused requests were refused, the newest last.
    pub last_refusals: Vec<String>,
}

/// How many refusals a [`WaitTimeout`] shows.
const SHOWN_REFUSALS: usize = 3;

fn refusals(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!("; last refusals: {}", reasons.join("; ")) }
}

pub(crate) struct Log {
    keep: Option<usize>,
    entries: Mutex<Entries>,
    totals: watch::Sender<Totals>,
    exchanges: broadcast::Sender<Arc<Exchange>>,
}

#[derive(Default)]
struct Entries {
    received: VecDeque<Received>,
    requests: VecDeque<RequestLog>,
    violations: VecDeque<Violation>,
    totals: Totals,
}

impl Log {
    /// Keeps the last `keep` records, requests and violations; all of them for `None`.
    pub(crate) fn new(keep: Option<usize>) -> Self {
        Self {
            keep,
            entries: Mutex::default(),
            totals: watch::Sender::default(),
            exchanges: broadcast::Sender::new(SUBSCRIBER_BACKLOG),
        }
    }

    /// Notes a request that gets this answer.
    pub(crate) fn answered(&self, request: &Request, answer: &mut Answer) {
        let records = std::mem::take(&mut answer.records);
        let violations = std::mem::take(&mut answer.violations);
        self.add(request, Some(answer.status), answer.refusal.clone(), records, violations);
    }

    /// Notes a request that gets no answer, or no whole one, with the records that the SIEM took all the same.
    pub(crate) fn unanswered(&self, request: &Request, records: Vec<Record>, why: &str) {
        self.add(request, None, Some(why.to_owned()), records, Vec::new());
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.entries().received.iter().cloned().collect()
    }

    pub(crate) fn requests(&self) -> Vec<RequestLog> {
        self.entries().requests.iter().cloned().collect()
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.entries().violations.iter().cloned().collect()
    }

    pub(crate) fn totals(&self) -> Totals {
        self.entries().totals
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<Exchange>> {
        self.exchanges.subscribe()
    }

    pub(crate) async fn wait_for(
        &self,
        what: &'static str,
        wanted: u64,
        limit: Duration,
        count: fn(&Totals) -> u64,
    ) -> Result<(), WaitTimeout> {
        let mut totals = self.totals.subscribe();
        // The sender lives as long as `self`, so only the timeout can end this early.
        let arrived = timeout(limit, totals.wait_for(|totals| count(totals) >= wanted)).await;
        if matches!(arrived, Ok(Ok(_))) {
            return Ok(());
        }
        let mut last_refusals: Vec<String> =
            self.entries().requests.iter().rev().filter_map(refusal_line).take(SHOWN_REFUSALS).collect();
        last_refusals.reverse();
        Err(WaitTimeout { what, wanted, timeout: limit, totals: self.totals(), last_refusals })
    }

    fn add(
        &self,
        request: &Request,
        status: Option<StatusCode>,
        refusal: Option<String>,
        records: Vec<Record>,
        violations: Vec<(usize, String)>,
    ) {
        let at = SystemTime::now();
        let headers = Arc::new(request.headers.clone());
        let mut entries = self.entries();
        let number = entries.totals.requests;
        let request = RequestLog {
            at,
            number,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: Arc::clone(&headers),
            status,
            compressed_bytes: request.compressed_bytes,
            plain_bytes: request.plain_bytes(),
            records: records.len(),
            refusal,
        };
        let path = &request.path;
        let received: Vec<Received> = records
            .into_iter()
            .map(|Record { value, raw }| Received {
                at,
                request: number,
                path: path.clone(),
                record: value,
                raw,
                headers: Arc::clone(&headers),
            })
            .collect();
        let violations = violations
            .into_iter()
            .map(|(item, reason)| Violation { request: number, item, reason })
            .collect();
        self.publish(&request, &received);
        entries.append(request, received, violations, self.keep);
        self.totals.send_replace(entries.totals);
    }

    fn publish(&self, request: &RequestLog, received: &[Received]) {
        if self.exchanges.receiver_count() == 0 {
            return;
        }
        let exchange = Exchange { request: request.clone(), received: received.to_vec() };
        // The last subscriber may have left since it was counted; then nobody misses the exchange.
        self.exchanges.send(Arc::new(exchange)).ok();
    }

    /// Nothing under this lock can leave the entries half written, so a poisoned one is still good.
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn append(
        &mut self,
        request: RequestLog,
        received: Vec<Received>,
        violations: Vec<Violation>,
        keep: Option<usize>,
    ) {
        self.totals.requests += 1;
        self.totals.records += u64::try_from(received.len()).unwrap_or(u64::MAX);
        self.totals.violations += u64::try_from(violations.len()).unwrap_or(u64::MAX);
        append_within(&mut self.requests, [request], keep);
        append_within(&mut self.received, received, keep);
        append_within(&mut self.violations, violations, keep);
    }
}

fn append_within<T>(entries: &mut VecDeque<T>, more: impl IntoIterator<Item = T>, keep: Option<usize>) {
    entries.extend(more);
    let surplus = keep.map_or(0, |keep| entries.len().saturating_sub(keep));
    entries.drain(..surplus);
}

fn refusal_line(request: &RequestLog) -> Option<String> {
    let reason = request.refusal.as_deref()?;
    let status = request.status.map_or_else(|| "no answer".to_owned(), |status| status.as_u16().to_string());
    Some(format!("{} {}: {status}: {reason}", request.method, request.path))
}

//! Producers: they post events over real HTTP and remember what they were told.
//!
//! Half of the requests have an `Idempotency-Key`. When the host dies or the producer hangs up, what became of those is
//! unknown, and they are sent again until they are answered, as a careful producer does; without a key an event is sent
//! once and no more. So no event may be stored twice, and the ledger shows whether one was.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::PATIENCE;
use crate::history::History;
use crate::payload::{EventId, Organization, Payloads};
use crate::trigger::{Cue, Trigger};

/// So far may the slowest destination be behind before producers wait: enough for thousands of events in flight, and
/// little enough to be delivered within the wait at the end.
const MOST_BEHIND: u64 = 6_000;

/// What all producers share.
pub(crate) struct Driver {
    pub(crate) history: Arc<History>,
    pub(crate) payloads: Payloads,
    pub(crate) trigger: Arc<Trigger>,
    /// Where the intake is; none while the host is down.
    pub(crate) intake: watch::Receiver<Option<SocketAddr>>,
    pub(crate) counts: Counts,
    /// How far the slowest destination is behind.
    pub(crate) behind: Box<dyn Fn() -> u64 + Send + Sync>,
}

/// What happened at the intake.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) acknowledged: AtomicU64,
    pub(crate) refused: AtomicU64,
    /// Requests without a whole answer.
    pub(crate) unanswered: AtomicU64,
    /// Requests that were answered after they had been sent before.
    pub(crate) repeated: AtomicU64,
}

/// One request, as often as it is sent.
struct Batch {
    organization: Organization,
    /// And whether the event is one that the intake refuses.
    events: Vec<(u32, bool)>,
    idempotency_key: Option<String>,
    body: Bytes,
    sent_before: bool,
}

impl Driver {
    /// Posts until `stop`, and then what is still without an answer and can be repeated.
    pub(crate) async fn produce(self: Arc<Driver>, mut rng: Rng, stop: CancellationToken) {
        let mut unanswered: VecDeque<Batch> = VecDeque::new();
        while !stop.is_cancelled() {
            if (self.behind)() > MOST_BEHIND {
                sleep(Duration::from_millis(20)).await;
                continue;
            }
            let again = if rng.bool() { unanswered.pop_front() } else { None };
            let batch = again.unwrap_or_else(|| self.next(&mut rng));
            unanswered.extend(self.send(batch, patience(&mut rng)).await);
            sleep(Duration::from_millis(rng.u64(0..20))).await;
        }
        while let Some(batch) = unanswered.pop_front() {
            unanswered.extend(self.send(batch, PATIENCE).await);
        }
    }

    /// One event that has to be taken at once.
    pub(crate) async fn fresh(&self, organization: Organization) -> EventId {
        let batch = self.batch(organization, 1, |_| false, None);
        let number = batch.events[0].0;
        assert!(self.send(batch, PATIENCE).await.is_none(), "a fresh event got no answer");
        EventId { organization, number }
    }

    fn next(&self, rng: &mut Rng) -> Batch {
        let organization = if rng.u32(0..4) == 0 { Organization::Umbra } else { Organization::Acme };
        let count = if rng.u32(0..10) == 0 { rng.usize(20..120) } else { rng.usize(1..12) };
        let key = rng.bool().then(|| format!("{:032x}", rng.u128(..)));
        self.batch(organization, count, |_| rng.u32(0..50) == 0, key)
    }

    fn batch(
        &self,
        organization: Organization,
        count: usize,
        mut is_bad: impl FnMut(u32) -> bool,
        idempotency_key: Option<String>,
    ) -> Batch {
        let numbers = self.history.issue(organization, count);
        let events: Vec<(u32, bool)> = numbers.map(|number| (number, is_bad(number))).collect();
        let line = |&(number, is_bad): &(u32, bool)| {
            let id = EventId { organization, number };
            let event = if is_bad { self.payloads.refused(id) } else { self.payloads.event(id) };
            format!("{event}\n")
        };
        let body = Bytes::from(events.iter().map(line).collect::<String>());
        Batch { organization, events, idempotency_key, body, sent_before: false }
    }

    /// Sends a request, and gives it back when it has to be sent again.
    async fn send(&self, mut batch: Batch, patience: Duration) -> Option<Batch> {
        let intake = self.intake.clone().wait_for(Option::is_some).await.ok().and_then(|intake| *intake)?;
        match timeout(patience, post(intake, &batch)).await {
            Ok(Ok((status, answer)))
                if status == StatusCode::OK || status == StatusCode::UNPROCESSABLE_ENTITY =>
            {
                self.note(&batch, &answer);
                return None;
            }
            // 503: the host stops, or its disk is full. It may have taken the events all the same.
            Ok(Ok((status, _))) if status == StatusCode::SERVICE_UNAVAILABLE => {}
            Ok(Ok((status, answer))) => panic!("the intake answered {status}: {answer}"),
            Ok(Err(_)) => {}
            Err(_) => assert!(patience < PATIENCE, "the intake did not answer within {PATIENCE:?}"),
        }
        self.counts.unanswered.fetch_add(1, Ordering::Relaxed);
        // The address may be that of a host that is gone: whoever changes it is not faster than a refused connection.
        sleep(Duration::from_millis(5)).await;
        batch.sent_before = true;
        batch.idempotency_key.is_some().then_some(batch)
    }

    /// The moment from which on a loss would be a broken promise.
    fn note(&self, batch: &Batch, answer: &Value) {
        let refused = answer["refused"].as_array().expect("a list of refused events");
        let refused: Vec<u64> = refused.iter().filter_map(|one| one["index"].as_u64()).collect();
        let mut accepted = 0;
        for (index, &(number, is_bad)) in batch.events.iter().enumerate() {
            let id = EventId { organization: batch.organization, number };
            let was_refused = refused.contains(&(index as u64));
            assert_eq!(was_refused, is_bad, "{id} at {index} of {answer}");
            if was_refused {
                self.history.refused(id);
            } else {
                self.history.acknowledged(id);
                accepted += 1;
            }
        }
        if accepted > 0 {
            self.trigger.pull(Cue::Acknowledgement);
        }
        assert_eq!(answer["accepted"], accepted, "{answer}");
        self.counts.acknowledged.fetch_add(accepted, Ordering::Relaxed);
        self.counts.refused.fetch_add(refused.len() as u64, Ordering::Relaxed);
        self.counts.repeated.fetch_add(u64::from(batch.sent_before), Ordering::Relaxed);
    }
}

/// Some producers hang up at about the time of the commit: that they have no answer does not mean that it was not made.
fn patience(rng: &mut Rng) -> Duration {
    if rng.u32(0..15) == 0 { Duration::from_millis(rng.u64(0..20)) } else { PATIENCE }
}

/// A connection for each request: what a dead host leaves open then spoils no other.
async fn post(intake: SocketAddr, batch: &Batch) -> anyhow::Result<(StatusCode, Value)> {
    let stream = TcpStream::connect(intake).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let mut request = Request::post("/v1/events")
        .header("host", "siemaphore")
        .header("authorization", format!("Bearer {}", crate::stage::token(batch.organization)))
        .header("content-type", "application/x-ndjson");
    if let Some(key) = &batch.idempotency_key {
        request = request.header("idempotency-key", key);
    }
    let answer = sender.send_request(request.body(Full::<Bytes>::from(batch.body.clone()))?).await?;
    let status = answer.status();
    let answer = answer.into_body().collect().await?.to_bytes();
    Ok((status, serde_json::from_slice(&answer).unwrap_or_default()))
}

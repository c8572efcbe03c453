//! What a SIEM, or the network before it, does on a bad day: one trouble after the other, at random.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use siemaphore_receiver::{Fault, RequestLog};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::siem::Siem;
use crate::stage::Kind;

/// The kinds. Each has to have happened in a long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// 503.
    Overloaded,
    /// 429 with Retry-After.
    Throttled,
    /// 413: the batch has to be split.
    TooLarge,
    /// 401, and later 200: the secret was put right.
    Unauthorized,
    /// One event cannot be read; what comes before it was taken. Splunk only.
    StoppedAt,
    /// Connections are refused.
    Away,
    /// The connection closes within the request.
    CutRequest,
    /// The connection closes before an answer.
    Closed,
    /// The connection closes within the answer.
    CutAnswer,
    /// The events are taken, and nobody says so.
    LostAnswer,
    /// No answer, ever.
    Silent,
    /// An answer, but late.
    Slow,
}

impl Trouble {
    pub(crate) const ALL: [Trouble; 12] = [
        Trouble::Overloaded,
        Trouble::Throttled,
        Trouble::TooLarge,
        Trouble::Unauthorized,
        Trouble::StoppedAt,
        Trouble::Away,
        Trouble::CutRequest,
        Trouble::Closed,
        Trouble::CutAnswer,
        Trouble::LostAnswer,
        Trouble::Silent,
        Trouble::Slow,
    ];

    /// What the stand-in does to each request. Without one it does not even listen.
    fn fault(self, rng: &mut Rng) -> Option<Fault> {
        Some(match self {
            Trouble::Overloaded => Fault::Status(503),
            Trouble::Throttled => Fault::RetryAfter(Duration::from_secs(1)),
            Trouble::TooLarge => Fault::Status(413),
            Trouble::Unauthorized => Fault::Status(401),
            Trouble::StoppedAt => Fault::StopAt(rng.usize(0..10)),
            Trouble::Away => return None,
            Trouble::CutRequest => Fault::CloseMidRequest,
            Trouble::Closed => Fault::Close,
            Trouble::CutAnswer => Fault::CloseMidBody,
            Trouble::LostAnswer => Fault::LoseAnswer,
            Trouble::Silent => Fault::Hang,
            Trouble::Slow => Fault::HangFor(Duration::from_millis(rng.u64(50..600))),
        })
    }

    /// Which trouble a request met, as the stand-in saw it.
    pub(crate) fn of(request: &RequestLog) -> Option<Trouble> {
        let says = |words: &str| request.refusal.as_deref().is_some_and(|refusal| refusal.contains(words));
        match request.status.map(|status| status.as_u16()) {
            Some(503) => Some(Trouble::Overloaded),
            Some(429) => Some(Trouble::Throttled),
            Some(413) => Some(Trouble::TooLarge),
            Some(401) => Some(Trouble::Unauthorized),
            Some(400) => Some(Trouble::StoppedAt),
            None if says("answer lost") => Some(Trouble::LostAnswer),
            None if says("within the answer") => Some(Trouble::CutAnswer),
            None if says("connection closed") => Some(Trouble::Closed),
            None if says("no answer") => Some(Trouble::Silent),
            _ => None,
        }
    }

    /// Whether it refuses events for what is in them, so that some may end as dead letters.
    pub(crate) fn refuses_events(self) -> bool {
        matches!(self, Trouble::TooLarge | Trouble::StoppedAt)
    }
}

/// How often each kind has happened.
pub(crate) type Met = BTreeMap<Trouble, u64>;

/// Troubles one SIEM until `stop`, and then leaves it in peace.
pub(crate) async fn trouble(siem: Arc<Siem>, mut rng: Rng, stop: CancellationToken) {
    // Dealt like cards: at random, and none is left out for long.
    let mut deck = Vec::new();
    while stop.run_until_cancelled(sleep(Duration::from_millis(rng.u64(50..600)))).await.is_some() {
        if deck.is_empty() {
            deck = Trouble::ALL.to_vec();
            rng.shuffle(&mut deck);
        }
        let Some(trouble) = deck.pop() else { continue };
        let is_splunk = matches!(siem.destination.kind, Kind::Splunk | Kind::IndexedSplunk);
        if trouble == Trouble::StoppedAt && !is_splunk {
            continue;
        }
        if rng.u32(0..10) == 0 {
            siem.receiver.expire_tokens();
        }
        begin(&siem, trouble, &mut rng).await;
        stop.run_until_cancelled(spell(&siem, trouble, &mut rng)).await;
        siem.receiver.fail_always(None);
        siem.receiver.come_back().expect("the port is kept");
    }
}

async fn begin(siem: &Siem, trouble: Trouble, rng: &mut Rng) {
    match trouble.fault(rng) {
        Some(fault) => siem.receiver.fail_always(Some(fault)),
        None => siem.receiver.go_away().await,
    }
}

/// Until a few requests have met the trouble, or a while is over.
async fn spell(siem: &Siem, trouble: Trouble, rng: &mut Rng) {
    // A late answer has to come within the spell, after whatever pause the host is making.
    let longest = if trouble == Trouble::Slow { 2_000..4_000 } else { 100..1_200 };
    let (requests, while_it_lasts) = (rng.u64(1..6), Duration::from_millis(rng.u64(longest)));
    let before = siem.receiver.totals();
    let until = before.requests + requests;
    // An end without so many requests is an end as well.
    siem.receiver.wait_for_requests(until as usize, while_it_lasts).await.ok();
    // These leave no trace of their own in what the stand-in saw. A late answer is at least one that took events.
    let is_met = match trouble {
        Trouble::Away | Trouble::CutRequest => true,
        Trouble::Slow => siem.receiver.totals().records > before.records,
        _ => false,
    };
    if is_met {
        siem.note(trouble);
    }
}

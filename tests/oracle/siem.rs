//! A destination with its stand-in, and what has arrived there.
//!
//! Arrivals are taken as they happen and only counted by event, so that a run of hours needs no more memory than its
//! events have numbers.

use std::sync::{Arc, Mutex, MutexGuard};

use siemaphore_receiver::{Certificate, Exchange, Received, Receiver, ReceiverConfig, RequestLog};
use tokio::sync::broadcast::error::RecvError;

use crate::faults::{Met, Trouble};
use crate::payload::{EventId, Organization, Payloads};
use crate::stage::Destination;
use crate::trigger::{Cue, Trigger};

/// What the stand-in keeps, for a collector that has fallen behind the live stream.
const KEPT: usize = 20_000;
/// So many strange or broken records are remembered whole.
const SHOWN: usize = 20;

pub(crate) struct Siem {
    pub(crate) destination: Destination,
    pub(crate) receiver: Receiver,
    arrivals: Mutex<Arrivals>,
}

/// What arrived at one SIEM.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals {
    /// By number.
    pub(crate) events: Vec<Arrived>,
    /// How many different events.
    pub(crate) distinct: u64,
    /// Records that are no event of the run's.
    pub(crate) strangers: Vec<String>,
    /// Records that are not what their id says.
    pub(crate) broken: Vec<EventId>,
    pub(crate) met: Met,
    pub(crate) requests: u64,
    next_request: u64,
}

/// How often one event arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) times: u16,
    /// Of these, how often the stand-in kept its answer to itself: the host had to send again.
    pub(crate) unanswered: u16,
}

impl Siem {
    pub(crate) async fn start(destination: Destination, certificate: &Certificate) -> Arc<Siem> {
        let config = ReceiverConfig { keep: Some(KEPT), ..ReceiverConfig::default() };
        let receiver = Receiver::start_with(destination.kind.siem(), certificate, config).await;
        let receiver = receiver.expect("a stand-in");
        Arc::new(Siem { destination, receiver, arrivals: Mutex::default() })
    }

    /// Counts what arrives, for as long as the stand-in runs.
    pub(crate) async fn collect(self: Arc<Siem>, payloads: Payloads, trigger: Arc<Trigger>) {
        let mut exchanges = self.receiver.subscribe();
        loop {
            match exchanges.recv().await {
                Ok(exchange) => {
                    if !exchange.received.is_empty() {
                        trigger.pull(Cue::Arrival);
                    }
                    self.take(&exchange, payloads);
                }
                Err(RecvError::Lagged(_)) => self.catch_up(payloads),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Takes what was missed from what the stand-in has kept.
    fn catch_up(&self, payloads: Payloads) {
        let received = self.receiver.received();
        for request in self.receiver.requests() {
            let mine = received.iter().filter(|one| one.request == request.number).cloned().collect();
            self.take(&Exchange { request, received: mine }, payloads);
        }
    }

    fn take(&self, exchange: &Exchange, payloads: Payloads) {
        let mut arrivals = self.arrivals();
        if exchange.request.number < arrivals.next_request {
            return;
        }
        assert_eq!(exchange.request.number, arrivals.next_request, "the collector missed requests for good");
        arrivals.next_request += 1;
        arrivals.count_trouble(&exchange.request);
        let unanswered = exchange.request.status.is_none();
        for received in &exchange.received {
            arrivals.count(self.destination.organization, received, unanswered, payloads);
        }
    }

    /// Counts a trouble that the stand-in's log does not show.
    pub(crate) fn note(&self, trouble: Trouble) {
        *self.arrivals().met.entry(trouble).or_default() += 1;
    }

    pub(crate) fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap()
    }
}

impl Arrivals {
    pub(crate) fn times(&self, number: u32) -> u16 {
        self.events.get(number as usize).map_or(0, |arrived| arrived.times)
    }

    fn count_trouble(&mut self, request: &RequestLog) {
        self.requests += 1;
        if let Some(trouble) = Trouble::of(request) {
            *self.met.entry(trouble).or_default() += 1;
        }
    }

    fn count(
        &mut self,
        organization: Organization,
        received: &Received,
        unanswered: bool,
        payloads: Payloads,
    ) {
        let known = payloads.recognise(&received.record);
        let Some((id, is_whole)) = known.ok().filter(|(id, _)| id.organization == organization) else {
            if self.strangers.len() < SHOWN {
                self.strangers.push(received.raw.clone());
            }
            return;
        };
        if !is_whole && self.broken.len() < SHOWN {
            self.broken.push(id);
        }
        let index = id.number as usize;
        if self.events.len() <= index {
            self.events.resize(index + 1, Arrived::default());
        }
        let arrived = &mut self.events[index];
        self.distinct += u64::from(arrived.times == 0);
        arrived.times = arrived.times.saturating_add(1);
        arrived.unanswered = arrived.unanswered.saturating_add(u16::from(unanswered));
    }
}

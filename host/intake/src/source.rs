//! Sources: who may send events, and what is known about them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use siemaphore_model::Normaliser;
use siemaphore_model::normalise::Context;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::answer::RequestError;
use crate::batch::Batch;
use crate::door::Door;
use crate::memory::{Memory, Share};
use crate::metrics::{IntakeMetrics, SourceCounters};
use crate::rate::Rate;
use crate::schema::Schema;
use crate::signature::Signature;

/// Plain bodies up to this size are decoded where they are: they take less time than a change of thread.
pub(crate) const INLINE_BYTES: usize = 8 * 1024;

/// One configured place where events come in.
#[derive(Debug, Clone)]
pub struct Source {
    pub name: String,
    /// Whose the events of this source are.
    pub organization: String,
    /// What [`Source::digest`] gives for its tokens: several while they are being rotated, none when nobody may send. The
    /// tokens are not kept.
    pub token_digests: Vec<[u8; 32]>,
    /// How its requests are signed, if they are.
    pub signature: Option<Signature>,
    pub normaliser: Arc<Normaliser>,
    /// What its events have to fit, before anything is removed from them.
    pub schema: Option<Arc<Schema>>,
    pub events_per_second: Option<u32>,
}

impl Source {
    /// For events that are received now.
    pub(crate) fn door(&self, received_ns: u64) -> Door<'_> {
        let context = Context { organization: &self.organization, source: &self.name, received_ns };
        Door { normaliser: &self.normaliser, schema: self.schema.as_deref(), context }
    }

    pub fn digest(token: &str) -> [u8; 32] {
        Sha256::digest(token).into()
    }
}

/// A source with what it needs at work.
#[derive(Debug)]
pub(crate) struct ActiveSource {
    pub(crate) source: Source,
    pub(crate) counters: Arc<SourceCounters>,
    pub(crate) rate: Option<Rate>,
    pub(crate) memory: Share,
}

impl ActiveSource {
    /// Whether a request may be read now.
    pub(crate) fn check_rate(&self, now: Instant) -> Result<(), RequestError> {
        self.within_rate(|rate| rate.check(now))
    }

    /// Whether these events may be stored now. They are paid with it.
    pub(crate) fn pay(&self, events: usize, now: Instant) -> Result<(), RequestError> {
        self.within_rate(|rate| rate.pay(events, now))
    }

    /// Whether so few bytes may be decoded on an async thread. A schema may ask much of little.
    pub(crate) fn is_little(&self, bytes: usize) -> bool {
        bytes <= INLINE_BYTES && self.source.schema.is_none()
    }

    /// Pays for and counts a batch without an event to store.
    pub(crate) fn refuse_all(&self, batch: &Batch, now: Instant) -> Result<(), RequestError> {
        self.pay(batch.refused_count(), now)?;
        self.count_refused(batch);
        self.log_refused(batch);
        Ok(())
    }

    pub(crate) fn count_refused(&self, batch: &Batch) {
        self.counters.refusals.add(&batch.tally, &batch.refused);
    }

    pub(crate) fn log_refused(&self, batch: &Batch) {
        self.counters.refusals.log(&self.source.name, batch.refused_count(), &batch.refused);
    }

    pub(crate) fn pay_back(&self, events: usize) {
        if let Some(rate) = &self.rate {
            rate.pay_back(events);
        }
    }

    fn within_rate(&self, ask: impl FnOnce(&Rate) -> Result<(), Duration>) -> Result<(), RequestError> {
        let Some(Err(wait)) = self.rate.as_ref().map(ask) else { return Ok(()) };
        self.counters.rate_limited.add(1);
        let per_second = self.source.events_per_second.unwrap_or_default();
        Err(RequestError::RateLimited { per_second, wait })
    }
}

/// All sources at one moment.
#[derive(Debug)]
pub(crate) struct Sources {
    active: Vec<Arc<ActiveSource>>,
}

impl Sources {
    pub(crate) fn new(sources: Vec<Source>, metrics: &IntakeMetrics, memory: &Memory) -> Sources {
        let activate = |source: Source| {
            let counters = metrics.of(&source.name);
            let rate = source.events_per_second.map(Rate::new);
            Arc::new(ActiveSource { source, counters, rate, memory: memory.share() })
        };
        Sources { active: sources.into_iter().map(activate).collect() }
    }

    pub(crate) fn named(&self, name: &str) -> Option<Arc<ActiveSource>> {
        self.active.iter().find(|active| active.source.name == name).cloned()
    }

    /// The source whose signed requests come to the path with this name. A name is no secret.
    pub(crate) fn signing(&self, name: &str) -> Option<Arc<ActiveSource>> {
        let named =
            |active: &&Arc<ActiveSource>| active.source.name == name && active.source.signature.is_some();
        self.active.iter().find(named).cloned()
    }

    /// The source that a token belongs to. Compares with every digest and in constant time, so that how long it takes
    /// says nothing about any of them. A token of two sources belongs to neither: it does not say whose the events are.
    pub(crate) fn of_token(&self, token: &str) -> Option<Arc<ActiveSource>> {
        let digest = Source::digest(token);
        let (mut found, mut matching) = (u64::MAX, 0_u64);
        for (index, active) in (0..).zip(&self.active) {
            let mut matches = Choice::from(0);
            for known in &active.source.token_digests {
                matches |= digest.ct_eq(known);
            }
            found.conditional_assign(&index, matches);
            matching += u64::from(matches.unwrap_u8());
        }
        let found = usize::try_from(found).ok().filter(|_| matching == 1)?;
        self.active.get(found).cloned()
    }
}

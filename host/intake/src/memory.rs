//! The bound on what all requests together hold in memory.
//!
//! Two accounts of half the limit each: one for bodies as they arrive, one for what they become. Those who hold the
//! second never wait for the first, so that slow senders cannot keep arrived bodies from being decoded. A body takes
//! from the first account as it arrives: what a producer announces costs nothing. Of either account one source holds at
//! most half, so that it cannot keep another from sending.
//!
//! Bodies that grow can wait for each other, and producers can be slow. So nobody waits for long: who gives up makes
//! room for the rest, and comes back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::RequestError;
use crate::config::IntakeConfig;

/// Accounts are kept in KiB, because a semaphore takes 32 bits at a time.
const UNIT_BYTES: usize = 1024;

/// What is reserved at once for a body that arrives: about what a connection reads at once.
const STEP_BYTES: usize = 64 * 1024;

/// How long a request waits for memory.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Memory {
    arriving: Account,
    decoded: Account,
    body_bytes: usize,
    decoding_bytes: usize,
}

/// What one source may take of the memory.
#[derive(Debug)]
pub(crate) struct Share {
    arriving: Allowance,
    decoded: Allowance,
}

#[derive(Debug)]
struct Allowance {
    of_source: Account,
    of_all: Account,
}

#[derive(Debug, Clone)]
struct Account {
    semaphore: Arc<Semaphore>,
    units: u32,
}

/// Given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    of_source: OwnedSemaphorePermit,
    of_all: OwnedSemaphorePermit,
}

/// What a body holds while it arrives.
#[derive(Debug)]
pub(crate) struct Arriving<'a> {
    allowance: &'a Allowance,
    held: Reservation,
    at_most: usize,
}

impl Memory {
    pub(crate) fn new(config: &IntakeConfig) -> Memory {
        let half = config.concurrent_bytes / 2;
        let (body_bytes, decoding_bytes) = (config.body_bytes, decoding_bytes(config.decompressed_bytes));
        Memory {
            arriving: Account::new(half.max(body_bytes)),
            decoded: Account::new(half.max(decoding_bytes)),
            body_bytes,
            decoding_bytes,
        }
    }

    /// For a new source. It suffices for a request of the largest size.
    pub(crate) fn share(&self) -> Share {
        Share {
            arriving: self.arriving.allow(self.body_bytes),
            decoded: self.decoded.allow(self.decoding_bytes),
        }
    }
}

impl Share {
    /// For a body of at most so many bytes. Room for its beginning is there when this returns.
    pub(crate) async fn for_body(&self, at_most: usize) -> Result<Arriving<'_>, RequestError> {
        let allowance = &self.arriving;
        let held = allowance.reserve(units(at_most.min(STEP_BYTES))).await?;
        Ok(Arriving { allowance, held, at_most })
    }

    pub(crate) async fn for_decoding(&self, decompressed_bytes: usize) -> Result<Reservation, RequestError> {
        self.decoded.reserve(units(decoding_bytes(decompressed_bytes))).await
    }
}

/// The decompressed text and the events made of it.
fn decoding_bytes(decompressed_bytes: usize) -> usize {
    decompressed_bytes.saturating_mul(2)
}

impl Arriving<'_> {
    /// Makes room for all that arrived up to now.
    pub(crate) async fn grow(&mut self, arrived_bytes: usize) -> Result<(), RequestError> {
        let held = self.held.units();
        if units(arrived_bytes) <= held {
            return Ok(());
        }
        let steps = arrived_bytes.div_ceil(STEP_BYTES).saturating_mul(STEP_BYTES);
        let wanted = units(steps.min(self.at_most.max(arrived_bytes)));
        self.held.merge(self.allowance.reserve(wanted.saturating_sub(held)).await?);
        Ok(())
    }
}

impl Allowance {
    /// The source's own part first: its requests queue there, and not before those of others.
    async fn reserve(&self, units: u32) -> Result<Reservation, RequestError> {
        let reserve = async {
            let of_source = self.of_source.reserve(units).await?;
            Ok(Reservation { of_source, of_all: self.of_all.reserve(units).await? })
        };
        tokio::time::timeout(PATIENCE, reserve).await.unwrap_or(Err(RequestError::Busy))
    }
}

impl Account {
    fn new(bytes: usize) -> Account {
        let units = units(bytes);
        Account { semaphore: Arc::new(Semaphore::new(units as usize)), units }
    }

    fn allow(&self, at_least: usize) -> Allowance {
        let units = (self.units / 2).max(units(at_least));
        let of_source = Account { semaphore: Arc::new(Semaphore::new(units as usize)), units };
        Allowance { of_source, of_all: self.clone() }
    }

    async fn reserve(&self, units: u32) -> Result<OwnedSemaphorePermit, RequestError> {
        let permit = Arc::clone(&self.semaphore).acquire_many_owned(units.min(self.units)).await;
        permit.map_err(|_closed| RequestError::Stopping)
    }
}

impl Reservation {
    /// Gives back what is not needed after all.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        for permit in [&mut self.of_source, &mut self.of_all] {
            let surplus = permit.num_permits().saturating_sub(units(bytes) as usize);
            drop(permit.split(surplus));
        }
    }

    fn units(&self) -> u32 {
        u32::try_from(self.of_all.num_permits()).unwrap_or(u32::MAX)
    }

    fn merge(&mut self, more: Reservation) {
        self.of_source.merge(more.of_source);
        self.of_all.merge(more.of_all);
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX >> 3)
}

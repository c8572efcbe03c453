//! The bound on what all requests together hold in memory.
//!
//! Two accounts of half the limit each: one for bodies as they arrive, one for what they become. A request takes from
//! the first and then from the second, and those who hold the second never wait for the first, so nobody waits in a
//! circle, and slow senders cannot keep arrived bodies from being decoded.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::RequestError;
use crate::config::IntakeConfig;

/// Accounts are kept in KiB, because a semaphore takes 32 bits at a time.
const UNIT_BYTES: usize = 1024;

#[derive(Debug)]
pub(crate) struct Memory {
    arriving: Account,
    decoded: Account,
}

#[derive(Debug)]
struct Account {
    semaphore: Arc<Semaphore>,
    units: u32,
}

/// Given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation(OwnedSemaphorePermit);

impl Memory {
    pub(crate) fn new(config: &IntakeConfig) -> Memory {
        let half = config.concurrent_bytes / 2;
        Memory {
            arriving: Account::new(half.max(config.body_bytes)),
            decoded: Account::new(half.max(decoding_bytes(config.decompressed_bytes))),
        }
    }

    pub(crate) async fn for_body(&self, body_bytes: usize) -> Result<Reservation, RequestError> {
        self.arriving.reserve(body_bytes).await
    }

    pub(crate) async fn for_decoding(&self, decompressed_bytes: usize) -> Result<Reservation, RequestError> {
        self.decoded.reserve(decoding_bytes(decompressed_bytes)).await
    }
}

/// The decompressed text and the events made of it.
fn decoding_bytes(decompressed_bytes: usize) -> usize {
    decompressed_bytes.saturating_mul(2)
}

impl Account {
    fn new(bytes: usize) -> Account {
        let units = units(bytes);
        Account { semaphore: Arc::new(Semaphore::new(units as usize)), units }
    }

    async fn reserve(&self, bytes: usize) -> Result<Reservation, RequestError> {
        let units = units(bytes).min(self.units);
        let permit = Arc::clone(&self.semaphore).acquire_many_owned(units).await;
        permit.map(Reservation).map_err(|_closed| RequestError::Stopping)
    }
}

impl Reservation {
    /// Gives back what is not needed after all.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let surplus = self.0.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.0.split(surplus));
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX >> 3)
}

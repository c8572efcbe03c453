//! Writing down what became of events.
//!
//! What is to be settled is kept until the store has taken it: settling twice is harmless, forgetting is not. Dead
//! letters that the store has no room for wait here, and nothing more is read until it has: the destination is held.

use std::time::{Duration, Instant};

use siemaphore_store::{AttemptRecord, FailedReplay, NewDeadLetter, Settlement, StoreError};

use crate::PipelineConfig;
use crate::chunk::{Chunk, Lane, ranges};
use crate::health::Trouble;
use crate::task::Task;
use crate::version::Version;

/// How long to wait before a failed look at the log or a failed settlement is tried again.
pub(crate) const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How long to wait before dead letters without room are tried again.
const NO_ROOM_PAUSE: Duration = Duration::from_secs(10);

/// Dead letters that the store has no room for, and when to try again.
#[derive(Debug, Default)]
pub(crate) struct WithoutRoom {
    letters: Vec<NewDeadLetter>,
    retry_at: Option<Instant>,
}

impl WithoutRoom {
    pub(crate) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }
}

impl Task {
    /// Writes down what is known by now, in one transaction.
    pub(crate) async fn settle(&mut self) {
        if is_empty(&self.settlement) || self.store_pause.is_some() {
            return;
        }
        match self.stages.store.settle(self.settlement.clone()).await {
            Ok(()) => self.settled(),
            Err(StoreError::DeadLettersFull { .. }) if !self.settlement.dead_letters.is_empty() => {
                self.set_aside_dead_letters();
                self.settle_the_rest().await;
            }
            Err(error) => self.store_failed(&error),
        }
    }

    fn settled(&mut self) {
        self.settlement = empty_settlement(&self.config);
        self.unannounced = true;
    }

    async fn settle_the_rest(&mut self) {
        if is_empty(&self.settlement) {
            return;
        }
        match self.stages.store.settle(self.settlement.clone()).await {
            Ok(()) => self.settled(),
            Err(error) => self.store_failed(&error),
        }
    }

    fn set_aside_dead_letters(&mut self) {
        self.without_room.letters.append(&mut self.settlement.dead_letters);
        self.without_room.retry_at = Some(Instant::now() + NO_ROOM_PAUSE);
        let bytes = self.config.dead_letter_limit.bytes;
        let reason =
            format!("the dead letters of this destination have reached their limit of {bytes} bytes");
        let hint = "replay, export or discard some (`siemaphore dead-letters`), or raise `dead_letter_limit`";
        self.publish_failure(Trouble { reason, hint: hint.to_owned(), holding: true });
    }

    /// Some may have been replayed or discarded meanwhile.
    pub(crate) fn retry_dead_letters(&mut self) {
        self.without_room.retry_at = None;
        self.settlement.dead_letters.append(&mut self.without_room.letters);
    }

    pub(crate) fn store_failed(&mut self, error: &StoreError) {
        tracing::error!(destination = self.config.destination, error = %error, "the store failed; trying again");
        self.store_pause = Some(Instant::now() + STORE_PAUSE);
    }

    /// Events have arrived.
    pub(crate) fn settle_delivered(&mut self, lane: Lane, places: Vec<u64>) {
        match lane {
            Lane::Log => self.settlement.delivered.extend(ranges(places)),
            Lane::Replay => {
                self.replay.let_go(places.len());
                self.settlement.replayed.extend(places.into_iter().filter_map(|id| i64::try_from(id).ok()));
            }
        }
    }

    /// Dead-letters one event, which this version has formatted; one that is a dead letter already learns of its new
    /// failure.
    pub(crate) fn dead_letter(
        &mut self,
        version: &Version,
        event: &Chunk,
        cause: &str,
        hint: &str,
        attempts: &[AttemptRecord],
    ) {
        let Some(&place) = event.places().first() else { return };
        let plugin = self.stages.plugin.name().to_owned();
        let (plugin_version, plugin_digest) = (version.active.version.clone(), version.active.digest.clone());
        let (cause, hint, attempts) = (cause.to_owned(), hint.to_owned(), attempts.to_vec());
        match event.lane() {
            Lane::Log => self.settlement.dead_letters.push(NewDeadLetter {
                position: place,
                event: event.events().clone(),
                cause,
                hint,
                attempts,
                plugin,
                plugin_version,
                plugin_digest,
            }),
            Lane::Replay => {
                self.replay.let_go(1);
                let Ok(id) = i64::try_from(place) else { return };
                self.settlement.replay_failed.push(FailedReplay {
                    id,
                    cause,
                    hint,
                    attempts,
                    plugin,
                    plugin_version,
                    plugin_digest,
                });
            }
        }
    }
}

pub(crate) fn empty_settlement(config: &PipelineConfig) -> Settlement {
    Settlement { destination: config.destination.clone(), ..Settlement::default() }
}

fn is_empty(settlement: &Settlement) -> bool {
    let Settlement { destination: _, delivered, filtered, dead_letters, duplicates, replayed, replay_failed } =
        settlement;
    delivered.is_empty()
        && filtered.is_empty()
        && dead_letters.is_empty()
        && *duplicates == 0
        && replayed.is_empty()
        && replay_failed.is_empty()
}

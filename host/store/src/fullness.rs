//! The alert before the size limit takes events away.
//!
//! What nobody waits for does not count: it goes first, and by itself.

use crate::config::StoreConfig;
use crate::log_row::{self, FileSize};
use rusqlite::Connection;

/// From this share of the size limit on there is an alert, which ends below the other one: a store at the edge must
/// not alert with every commit.
const ALERT_PERCENT: u64 = 80;
const CLEAR_PERCENT: u64 = 70;

/// What cannot be deleted without expiring events that a destination waits for: their blocks, dead letters, keys.
pub(crate) fn needed_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let kept = log_row::read(connection)?.kept_bytes;
    Ok(FileSize::read(connection)?.used_bytes().saturating_sub(kept))
}

pub(crate) fn is_near_limit(needed_bytes: u64, limit_bytes: u64) -> bool {
    percent(needed_bytes, limit_bytes) >= ALERT_PERCENT
}

fn percent(needed_bytes: u64, limit_bytes: u64) -> u64 {
    needed_bytes.saturating_mul(100) / limit_bytes.max(1)
}

/// Says once that the limit is near, and once that it is not any more.
#[derive(Debug, Default)]
pub(crate) struct Alert {
    on: bool,
}

impl Alert {
    pub(crate) fn look(&mut self, connection: &Connection, config: &StoreConfig) -> rusqlite::Result<()> {
        let limit_bytes = config.size_limit_bytes;
        let needed_bytes = needed_bytes(connection)?;
        let percent = percent(needed_bytes, limit_bytes);
        if !self.on && percent >= ALERT_PERCENT {
            self.on = true;
            tracing::warn!(
                needed_bytes,
                limit_bytes,
                percent,
                hint = "see `siemaphore destination list` for the destination that does not deliver, or raise `store.size_limit`",
                "the store is close to its size limit; there the oldest events of the organisation that holds most expire"
            );
        } else if self.on && percent < CLEAR_PERCENT {
            self.on = false;
            tracing::info!(
                needed_bytes,
                limit_bytes,
                percent,
                "the store is well below its size limit again"
            );
        }
        Ok(())
    }
}

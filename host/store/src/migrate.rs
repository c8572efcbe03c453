//! Older formats of the file: each step turns one version into the next.
//!
//! To add one: change `schema.sql`, put the same change into `migrate/to_N.sql`, add it to [`STEPS`], raise
//! [`FORMAT_VERSION`], and keep a store of the old format under `tests/fixtures`. A test compares what the steps make
//! of it with what a new store has.
//!
//! All steps are one transaction, together with the version number: a crash or an error leaves the old format whole.

use crate::error::StorageError;
use rusqlite::{Connection, TransactionBehavior};

/// The format that this version of the host reads and writes.
pub(crate) const FORMAT_VERSION: i64 = 2;

/// The version that a step leads to, and how.
const STEPS: [(i64, &str); 1] = [(2, include_str!("migrate/to_2.sql"))];

/// Whether there is a way from this version to the newest one.
pub(crate) fn is_known(version: i64) -> bool {
    let oldest = STEPS.first().map_or(FORMAT_VERSION, |(leads_to, _)| leads_to - 1);
    (oldest..=FORMAT_VERSION).contains(&version)
}

/// Brings the file from an older, known version to the newest.
pub(crate) fn run(connection: &mut Connection, from: i64) -> Result<(), StorageError> {
    if from == FORMAT_VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (leads_to, step) in STEPS {
        if leads_to > from {
            transaction.execute_batch(step)?;
        }
    }
    transaction.pragma_update(None, "user_version", FORMAT_VERSION)?;
    transaction.commit()?;
    tracing::info!(from, to = FORMAT_VERSION, "the store's file was brought to the newest format");
    Ok(())
}

//! The destinations in a small file beside the database, `destinations.json`: what a recovery falls back to when their
//! table cannot be read.
//!
//! Written when the set of destinations or their limits change, every few hundred commits, and when the store
//! is closed: cursors in it may be old. Then events are delivered again, and those that are gone count as damaged.

use crate::error::StorageError;
use crate::{destination, folder, log_row};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const FILE: &str = "destinations.json";
const NEW_FILE: &str = "destinations.json.new";
const COLUMNS: &str = "name, organization, active, age_limit_ms, accepted_before, settled_below, settled_runs, \
     delivered, filtered, dead_lettered, discarded, expired, damaged, duplicates, dead_letter_limit_bytes, \
     expire_dead_letters";

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) next_position: u64,
    /// How many events each organisation had ever.
    pub(crate) accepted: BTreeMap<String, u64>,
    destinations: Vec<Entry>,
}

/// One row of `destinations`.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    organization: String,
    settled_runs: Vec<u8>,
    /// The other columns, in their order.
    numbers: Vec<i64>,
}

impl Snapshot {
    pub(crate) fn take(connection: &Connection) -> Result<Snapshot, StorageError> {
        let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM destinations"))?;
        let entries = statement.query_map([], |row| {
            let numbers = [2, 3, 4, 5].into_iter().chain(7..16).map(|column| row.get(column));
            Ok(Entry {
                name: row.get(0)?,
                organization: row.get(1)?,
                settled_runs: row.get(6)?,
                numbers: numbers.collect::<Result<_, _>>()?,
            })
        })?;
        let destinations = entries.collect::<Result<_, _>>()?;
        let next_position = log_row::read(connection)?.next_position;
        Ok(Snapshot { next_position, accepted: log_row::all_accepted(connection)?, destinations })
    }

    /// Replaces the file as a whole: a crash leaves the old or the new one.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), StorageError> {
        let (file, new) = (folder.join(FILE), folder.join(NEW_FILE));
        let text =
            serde_json::to_vec(self).map_err(|error| StorageError::file("write", &new)(error.into()))?;
        let mut options = std::fs::File::options();
        let write = || {
            let mut writer = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            writer.write_all(&text)?;
            writer.sync_all()?;
            std::fs::rename(&new, &file)
        };
        let mut write = write;
        write().map_err(StorageError::file("write", &file))?;
        folder::sync(folder)
    }

    pub(crate) fn exists(folder: &Path) -> bool {
        folder.join(FILE).exists()
    }

    /// The last snapshot; an empty one when there is none that can be read.
    pub(crate) fn read(folder: &Path) -> Snapshot {
        let read = std::fs::read(folder.join(FILE)).ok();
        read.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// Adds the destinations that are not in the table.
    pub(crate) fn restore_missing(&self, connection: &Connection) -> Result<(), StorageError> {
        let sql = format!(
            "INSERT OR IGNORE INTO destinations ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        );
        for entry in &self.destinations {
            let (Some(before), Some(after)) = (entry.numbers.get(..4), entry.numbers.get(4..13)) else {
                continue;
            };
            if destination::find(connection, &entry.name).is_ok_and(|found| found.is_some()) {
                continue;
            }
            let integers =
                |numbers: &[i64]| numbers.iter().map(|number| Value::Integer(*number)).collect::<Vec<_>>();
            let mut values = vec![Value::Text(entry.name.clone()), Value::Text(entry.organization.clone())];
            values.extend(integers(before));
            values.push(Value::Blob(entry.settled_runs.clone()));
            values.extend(integers(after));
            connection.prepare_cached(&sql)?.execute(params_from_iter(values))?;
            tracing::warn!(
                destination = entry.name,
                "taken from the last snapshot: events may be delivered again"
            );
        }
        Ok(())
    }
}

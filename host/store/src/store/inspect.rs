//! What operators ask of the store beside its figures: whom it knows, and whether it is sound.

use crate::Store;
use crate::error::StoreError;
use rusqlite::Connection;

/// A destination that was opened at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDestination {
    pub destination: String,
    pub organization: String,
    /// False when it is disabled or no longer configured: it pins no block.
    pub active: bool,
    /// Of its dead letters: what they take, and what they may take.
    pub dead_letter_bytes: u64,
    pub dead_letter_limit_bytes: u64,
}

impl Store {
    /// Every destination that was ever opened, in the order of names.
    pub async fn destinations(&self) -> Result<Vec<KnownDestination>, StoreError> {
        self.readers().read(move |snapshot| Ok(known(snapshot)?)).await
    }

    /// What SQLite finds wrong with the tables that say what there is, in its words; empty when they are sound. The
    /// blocks' data is left out: it is most of the file, and its checksums are looked at whenever it is read.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.readers().read(move |snapshot| Ok(check(snapshot)?)).await
    }
}

fn known(connection: &Connection) -> rusqlite::Result<Vec<KnownDestination>> {
    const KNOWN: &str = "SELECT name, organization, active, ifnull(bytes, 0), dead_letter_limit_bytes \
         FROM destinations LEFT JOIN dead_letter_totals ON destination = name ORDER BY name";
    let mut statement = connection.prepare_cached(KNOWN)?;
    let known = statement.query_map([], |row| {
        Ok(KnownDestination {
            destination: row.get(0)?,
            organization: row.get(1)?,
            active: row.get(2)?,
            dead_letter_bytes: row.get(3)?,
            dead_letter_limit_bytes: row.get(4)?,
        })
    })?;
    known.collect()
}

/// Enough to see what is wrong.
const FINDINGS: usize = 10;

fn check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut findings = Vec::new();
    for table in ["log", "organizations", "blocks", "destinations", "grants", "damaged_blocks"] {
        connection.pragma(None, "quick_check", table, |row| {
            findings.push(row.get::<_, String>(0)?);
            Ok(())
        })?;
    }
    findings.retain(|finding| finding != "ok");
    findings.truncate(FINDINGS);
    Ok(findings)
}

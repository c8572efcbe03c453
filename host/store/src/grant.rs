//! What an operator has granted to a plugin for one destination: the request profile that is used, and no other.

use rusqlite::{Connection, OptionalExtension, params};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub plugin_digest: String,
    /// The profile as JSON; its shape is the pipeline's concern.
    pub profile: String,
}

pub(crate) fn find(connection: &Connection, destination: &str) -> rusqlite::Result<Option<Grant>> {
    const FIND: &str = "SELECT plugin_digest, profile FROM grants WHERE destination = ?1";
    let from_row = |row: &rusqlite::Row<'_>| Ok(Grant { plugin_digest: row.get(0)?, profile: row.get(1)? });
    connection.prepare_cached(FIND)?.query_row([destination], from_row).optional()
}

pub(crate) fn put(connection: &Connection, destination: &str, grant: &Grant) -> rusqlite::Result<()> {
    const PUT: &str =
        "INSERT OR REPLACE INTO grants (destination, plugin_digest, profile) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(PUT)?.execute(params![destination, grant.plugin_digest, grant.profile])?;
    Ok(())
}

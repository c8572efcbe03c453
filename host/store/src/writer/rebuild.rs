//! Damage that shows while the host runs: the writer rebuilds the file in place, and everyone goes on.
//!
//! The commands that met the damage are applied to the new file, so their callers notice nothing. A disk that damages
//! every new file is not fought for ever: after a few times the errors stay until the host is started again.

use super::Writer;
use crate::expiry::Expiry;
use crate::{recover, schema};
use rusqlite::Connection;

/// How often one run of the host rebuilds its file.
const REBUILDS: u32 = 3;

impl Writer {
    /// Rebuilds the file, unless that has happened since `generation` was looked at. True when it has a new one now.
    pub(super) fn rebuild(&mut self, generation: u64, reason: &str) -> bool {
        if generation != self.readers.generation() {
            return false;
        }
        if self.rebuilds == REBUILDS {
            tracing::error!(
                reason,
                "the store's file is damaged again and is not rebuilt any more: check the disk, then start the host again"
            );
            return false;
        }
        self.rebuilds += 1;
        match self.replace_file(reason) {
            Ok(()) => {
                self.expiry = Expiry { more: true, due_ms: None, soonest_ms: 0 };
                true
            }
            Err(error) => {
                tracing::error!(%error, "the damaged store could not be rebuilt");
                false
            }
        }
    }

    fn replace_file(&mut self, reason: &str) -> Result<(), crate::StoreError> {
        let readers = std::sync::Arc::clone(&self.readers);
        let _shut_out = readers.shut_out();
        // Closing the last connection of a file may still write to it, so this comes before anything is moved. Until
        // there is a new one, commands fail: nothing is acknowledged that is not stored.
        self.connection = Connection::open_in_memory()?;
        if let Err(error) = recover::run(&self.config, reason) {
            // Nothing was moved: what is sound in the old file goes on being served.
            self.connection = schema::open_writer(&self.config)?;
            return Err(error);
        }
        self.connection = schema::open_sound(&self.config)?;
        self.write_snapshot();
        Ok(())
    }
}

//! A damaged database file: a new one takes its place, with every row that can still be read.
//!
//! The damaged file is never written to. A new file is filled beside it, synced, and given the name `store.db.recovered`;
//! only then is the damaged one set aside as `store.db.damaged-<time>` (its write-ahead log too), and the new one moved
//! into its place. A crash in between is finished, or started over, at the next opening.
//!
//! What could not be read is counted, not forgotten: for each destination, the events that were accepted and are now
//! nowhere become `damaged`. Positions are never given out again.

mod copy;
mod ledgers;
mod plausible;

pub(crate) use ledgers::UNKNOWN_POSITIONS;

use crate::config::StoreConfig;
use crate::error::{StorageError, StoreError};
use crate::recover::copy::Copied;
use crate::salvage::{self, Pages};
use crate::snapshot::Snapshot;
use crate::{folder, schema};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Damaged files that are kept. They may be the only copy of something, so this is generous; yet a disk that damages
/// each new file must not be filled with them.
const KEPT_FILES: usize = 8;

/// Finishes what an earlier recovery left undone. To be called before the database is opened.
pub(crate) fn resume(config: &StoreConfig) -> Result<(), StorageError> {
    let files = Files::of(config);
    remove_if_there(&files.partial)?;
    if files.recovered.exists() {
        files.change_places(config.clock.now_ms())?;
    }
    Ok(())
}

/// Looks whether the write-ahead log is damaged where SQLite stops to read it without a word. If so it is copied aside;
/// true then: positions were given out that nothing knows of any more.
pub(crate) fn lose_damaged_commits(config: &StoreConfig) -> Result<bool, StorageError> {
    let files = Files::of(config);
    let commits = salvage::lost_commits(&files.journal);
    if commits < 2 {
        return Ok(false);
    }
    let aside = config.folder.join(format!("store.db-wal.damaged-{}", config.clock.now_ms()));
    std::fs::copy(&files.journal, &aside).map_err(StorageError::file("copy", &files.journal))?;
    tracing::error!(
        commits,
        copy = %aside.display(),
        "the store's write-ahead log is damaged: what was committed behind the damage is lost"
    );
    files.forget_oldest("store.db-wal.damaged-");
    Ok(true)
}

/// Replaces a database that `reason` says is damaged. No connection to it may be open.
pub(crate) fn run(config: &StoreConfig, reason: &str) -> Result<(), StoreError> {
    tracing::error!(path = %schema::path(config).display(), reason, "the store's file is damaged and is rebuilt");
    let files = Files::of(config);
    refuse_without_room(config, &files)?;
    remove_if_there(&files.partial)?;
    let filled = fill(config, &files);
    if filled.is_err() {
        // Its space is needed all the more now. A leftover is removed at the next opening.
        drop(remove_if_there(&files.partial));
    }
    let (copied, events_lost) = filled?;
    std::fs::rename(&files.partial, &files.recovered)
        .map_err(StorageError::file("rename", &files.partial))?;
    folder::sync(&config.folder)?;
    let aside = files.change_places(config.clock.now_ms())?;
    tracing::error!(
        blocks = copied.blocks,
        damaged_blocks = copied.damaged_blocks,
        dead_letters = copied.dead_letters,
        destinations = copied.destinations.len(),
        events_lost,
        damaged_file = %aside.display(),
        "the store goes on with what could be read; keep the damaged file for an expert, or delete it"
    );
    files.forget_oldest("store.db.damaged-");
    Ok(())
}

/// Fills a new file and syncs it; gives what was found, and how many events are counted as damaged now.
fn fill(config: &StoreConfig, files: &Files) -> Result<(Copied, u64), StoreError> {
    let pages = Pages::open(&files.database, &files.journal)?;
    let connection = schema::create_at(&files.partial)?;
    let copied = copy::run(&connection, &pages, config.clock.now_ms())?;
    let events_lost = ledgers::settle(&connection, &copied, &Snapshot::read(&config.folder))?;
    schema::stamp(&connection)?;
    drop(connection);
    folder::sync_file(&files.partial)?;
    Ok((copied, events_lost))
}

/// The copy is at most as large as what is copied.
fn refuse_without_room(config: &StoreConfig, files: &Files) -> Result<(), StoreError> {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let needed_bytes = size(&files.database).saturating_add(size(&files.journal));
    match config.free_space.of(&config.folder) {
        Ok(free_bytes) if free_bytes < needed_bytes => {
            Err(StoreError::NoRoom { path: files.partial.clone(), needed_bytes, free_bytes })
        }
        _ => Ok(()),
    }
}

struct Files {
    folder: PathBuf,
    database: PathBuf,
    journal: PathBuf,
    shared_memory: PathBuf,
    /// Being filled.
    partial: PathBuf,
    /// Complete and synced, not in its place yet.
    recovered: PathBuf,
}

impl Files {
    fn of(config: &StoreConfig) -> Files {
        let named = |end: &str| config.folder.join(format!("store.db{end}"));
        Files {
            folder: config.folder.clone(),
            database: named(""),
            journal: named("-wal"),
            shared_memory: named("-shm"),
            partial: named(".partial"),
            recovered: named(".recovered"),
        }
    }

    /// Sets the damaged files aside and moves the recovered one into place; gives where the damaged one is now.
    ///
    /// The journal goes first: SQLite would lay it over whatever database it finds.
    fn change_places(&self, now_ms: u64) -> Result<PathBuf, StorageError> {
        let names = (now_ms..).map(|number| self.folder.join(format!("store.db.damaged-{number}")));
        let Some(aside) = names.take(KEPT_FILES * 2).find(|name| !name.exists()) else {
            let taken = std::io::ErrorKind::AlreadyExists.into();
            return Err(StorageError::file("set aside", &self.database)(taken));
        };
        let mut journal_aside = OsString::from(&aside);
        journal_aside.push("-wal");
        move_if_there(&self.journal, Path::new(&journal_aside))?;
        remove_if_there(&self.shared_memory)?;
        move_if_there(&self.database, &aside)?;
        folder::sync(&self.folder)?;
        move_if_there(&self.recovered, &self.database)?;
        folder::sync(&self.folder)?;
        Ok(aside)
    }

    /// Removes the oldest damaged files beyond the number that is kept.
    fn forget_oldest(&self, prefix: &str) {
        let mut aside = damaged_files(&self.folder, prefix);
        // The names end in milliseconds of equally many digits.
        aside.sort();
        for old in aside.iter().rev().skip(KEPT_FILES) {
            let mut journal = OsString::from(old);
            journal.push("-wal");
            let removed = remove_if_there(old).and_then(|()| remove_if_there(Path::new(&journal)));
            let error = removed.err().map(|error| error.to_string());
            tracing::warn!(path = %old.display(), error, "the oldest damaged file was removed");
        }
    }
}

fn damaged_files(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_damaged = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(prefix) && !name.ends_with("-wal")
    };
    entries.flatten().map(|entry| entry.path()).filter(is_damaged).collect()
}

fn move_if_there(from: &Path, to: &Path) -> Result<(), StorageError> {
    if from.exists() { std::fs::rename(from, to).map_err(StorageError::file("rename", from)) } else { Ok(()) }
}

fn remove_if_there(path: &Path) -> Result<(), StorageError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StorageError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

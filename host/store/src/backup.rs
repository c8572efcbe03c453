//! A copy of the whole store while the host goes on.
//!
//! One read transaction is held for as long as it takes, so the copy is the store at one moment, however much is
//! committed meanwhile. Until it ends the write-ahead log cannot be emptied and grows by what is committed; the writer
//! is told not to wait for that (see [`Pins`]).

use crate::config::StoreConfig;
use crate::error::{StorageError, StoreError};
use crate::{folder, log_row, schema};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, Transaction};
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Copied between two calls of the progress function: 8 MiB.
const STEP_PAGES: i32 = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupProgress {
    pub done_bytes: u64,
    pub total_bytes: u64,
}

/// What a finished backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    pub path: PathBuf,
    pub bytes: u64,
    pub blocks: u64,
    pub events: u64,
    pub dead_letters: u64,
}

/// How many long read transactions are open. While one is, emptying the write-ahead log would make the writer wait.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pins(Arc<AtomicUsize>);

#[derive(Debug)]
pub(crate) struct Pin(Pins);

impl Pins {
    pub(crate) fn pin(&self) -> Pin {
        self.0.fetch_add(1, Ordering::SeqCst);
        Pin(self.clone())
    }

    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(crate) fn run(
    config: &StoreConfig,
    to: &Path,
    abandoned: &AtomicBool,
    progress: impl Fn(BackupProgress),
) -> Result<BackupSummary, StoreError> {
    let mut source = schema::open_reader(config)?;
    let snapshot = source.transaction().map_err(StorageError::from)?;
    let mut summary = summarize(&snapshot, to)?;
    refuse_without_room(config, to, summary.bytes)?;
    let partial = partial_of(to);
    let file = create(to, &partial)?;
    let copied = copy(&snapshot, &partial, abandoned, &progress).and_then(|()| {
        file.sync_all().map_err(StorageError::file("sync", &partial))?;
        std::fs::rename(&partial, to).map_err(StorageError::file("name the finished backup", to))?;
        folder::sync_parent(to)?;
        Ok(file.metadata().map_err(StorageError::file("read", to))?.len())
    });
    match copied {
        Ok(bytes) => {
            summary.bytes = bytes;
            Ok(summary)
        }
        Err(error) => {
            remove(&partial);
            Err(error)
        }
    }
}

/// Also starts the snapshot: SQLite takes it with the first read.
fn summarize(snapshot: &Transaction<'_>, to: &Path) -> Result<BackupSummary, StoreError> {
    const LETTERS: &str = "SELECT ifnull(sum(letters), 0) FROM dead_letter_totals";
    let log = log_row::read(snapshot)?;
    Ok(BackupSummary {
        path: to.to_owned(),
        bytes: log_row::FileSize::read(snapshot)?.file_bytes(),
        blocks: log.blocks,
        events: log.events,
        dead_letters: snapshot.query_row(LETTERS, [], |row| row.get(0))?,
    })
}

/// A backup must not push the store that it copies below its own reserve. Elsewhere the space is needed all the same.
fn refuse_without_room(config: &StoreConfig, to: &Path, bytes: u64) -> Result<(), StoreError> {
    let parent = folder::parent_of(to).unwrap_or(to);
    // A folder that is missing is reported by what creates the file.
    let Ok(free_bytes) = config.free_space.of(parent) else { return Ok(()) };
    let needed_bytes = bytes.saturating_add(config.disk_reserve_bytes);
    if free_bytes < needed_bytes {
        return Err(StoreError::NoRoom { path: to.to_owned(), needed_bytes, free_bytes });
    }
    Ok(())
}

/// A copy has its name when it is whole: one that a crash cut short must not be taken for a backup.
fn partial_of(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// Refuses to replace a backup; what is left of one that was cut short is begun anew.
fn create(to: &Path, partial: &Path) -> Result<File, StorageError> {
    if to.exists() {
        let exists = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(StorageError::file("create the backup", to)(exists));
    }
    let begun = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(partial);
    let file = begun.map_err(StorageError::file("create the backup", partial))?;
    // Another backup to this file is under way.
    file.try_lock().map_err(|error| StorageError::file("begin the backup", partial)(error.into()))?;
    file.set_len(0).map_err(StorageError::file("empty", partial))?;
    Ok(file)
}

fn copy(
    snapshot: &Connection,
    to: &Path,
    abandoned: &AtomicBool,
    progress: &impl Fn(BackupProgress),
) -> Result<(), StoreError> {
    let mut target = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // What fails midway is removed, and the file is synced as a whole: a journal would only cost time.
    target.pragma_update(None, "journal_mode", "OFF")?;
    target.pragma_update(None, "synchronous", "OFF")?;
    let page_bytes: u64 = snapshot.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let backup = Backup::new(snapshot, &mut target)?;
    loop {
        if abandoned.load(Ordering::Relaxed) {
            return Err(StoreError::Abandoned { path: to.to_owned() });
        }
        let step = backup.step(STEP_PAGES)?;
        let pages = backup.progress();
        let bytes = |pages: i32| u64::try_from(pages).unwrap_or(0).saturating_mul(page_bytes);
        progress(BackupProgress {
            done_bytes: bytes(pages.pagecount.saturating_sub(pages.remaining)),
            total_bytes: bytes(pages.pagecount),
        });
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Nobody else has the target open, so this is not a wait for someone.
            _ => return Err(StorageError::file("write", to)(std::io::ErrorKind::WouldBlock.into()).into()),
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(%error, path = %path.display(), "cannot remove an unfinished backup");
    }
}

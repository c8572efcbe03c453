//! The one thread that writes: it takes all that waits, commits it as one transaction, and answers.
//!
//! Group commit without lingering: while one commit waits for the disk, the next group gathers by itself. One fsync
//! costs milliseconds, so this is what makes durable intake cheap.
//!
//! A refusal (an unknown destination, a reused key) concerns its caller only. A failure of the database undoes the
//! whole group and is everyone's answer. When the disk is full, settling goes first: the appends are refused, the
//! ballast is released, and the changes are tried once more.

mod rebuild;

use crate::append::{self, Append, Appended};
use crate::backup::Pins;
use crate::block::BlockBuilder;
use crate::change;
use crate::config::{StoreConfig, as_millis};
use crate::disk::{Disk, Room};
use crate::error::{AppendError, StorageError, StoreError};
use crate::expiry::{self, Expiry};
use crate::folder::Lock;
use crate::fullness;
use crate::group::Group;
use crate::queue::Queued;
use crate::readers::Readers;
use crate::snapshot::Snapshot;
use crate::{log_row, schema, vacuum};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Wall clocks jump: however far the next expiry is, the clock is read again after this long.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// Readers that overlap can keep SQLite from ever starting its write-ahead log anew. From this size on the writer waits
/// for them, which takes milliseconds. The ballast is larger, so that even a full disk has room to empty it.
const JOURNAL_BYTES: u64 = 32 << 20;
/// What a lost file would leave uncounted is bounded by so many commits. One more sync in so many is not felt.
const SNAPSHOT_COMMITS: u64 = 256;
/// After a failure that expiry may have caused, it is tried again this much later.
const RETRY_EXPIRY_MS: u64 = 10_000;

pub(crate) struct Writer {
    config: StoreConfig,
    connection: Connection,
    commands: Receiver<Queued>,
    disk: Disk,
    builder: BlockBuilder,
    expiry: Expiry,
    vacuum: bool,
    alert: fullness::Alert,
    announcements: Announcements,
    readers: Arc<Readers>,
    /// How often this run has rebuilt a damaged file.
    rebuilds: u32,
    pins: Pins,
    /// At how many commits the destinations are written beside the database again.
    next_snapshot: u64,
    /// Last, so that the connection is closed before another host may open the store.
    _lock: Lock,
}

/// Where the writer tells of what it has committed.
pub(crate) struct Announcements {
    /// The next free position.
    pub(crate) appended: watch::Sender<u64>,
    /// Counts the commits that have marked dead letters.
    pub(crate) marked: watch::Sender<u64>,
    /// Counts all commits.
    pub(crate) commits: Arc<AtomicU64>,
}

/// What ends the writer's wait.
enum Wake {
    Command(Queued),
    /// Something expires, or there is more to delete.
    Due,
    /// All handles are gone.
    Abandoned,
}

impl Writer {
    pub(crate) fn new(
        config: StoreConfig,
        connection: Connection,
        commands: Receiver<Queued>,
        lock: Lock,
        announcements: Announcements,
        readers: Arc<Readers>,
        pins: Pins,
    ) -> Result<Writer, StorageError> {
        Ok(Writer {
            disk: Disk::new(&config),
            builder: BlockBuilder::new()?,
            // Whatever became due while no host ran.
            expiry: Expiry { more: true, due_ms: None, soonest_ms: 0 },
            vacuum: false,
            alert: fullness::Alert::default(),
            config,
            connection,
            commands,
            announcements,
            readers,
            rebuilds: 0,
            pins,
            next_snapshot: SNAPSHOT_COMMITS,
            _lock: lock,
        })
    }

    /// Runs until the store is closed, then releases the store and says so.
    pub(crate) fn run(mut self) {
        let mut closing = Vec::new();
        while closing.is_empty() {
            match self.wait() {
                Wake::Command(first) => self.commit_group(Group::gather(first, &self.commands), &mut closing),
                Wake::Due => self.commit_group(Group::default(), &mut closing),
                Wake::Abandoned => break,
            }
        }
        while let Ok(late) = self.commands.try_recv() {
            self.commit_group(Group::gather(late, &self.commands), &mut closing);
        }
        self.empty_journal();
        self.write_snapshot();
        drop(self);
        for ended in closing {
            ended.send(()).ok();
        }
    }

    fn wait(&self) -> Wake {
        let received = if self.expiry.more || self.vacuum {
            self.commands.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            })
        } else if let Some(due_ms) = self.expiry.due_ms {
            let left_ms = due_ms.saturating_sub(self.config.clock.now_ms());
            self.commands.recv_timeout(Duration::from_millis(left_ms).min(LONGEST_WAIT))
        } else {
            self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match received {
            Ok(queued) => Wake::Command(queued),
            Err(RecvTimeoutError::Timeout) => Wake::Due,
            Err(RecvTimeoutError::Disconnected) => Wake::Abandoned,
        }
    }

    fn commit_group(&mut self, mut group: Group, closing: &mut Vec<oneshot::Sender<()>>) {
        closing.append(&mut group.closing);
        if let Room::BelowReserve { free_bytes, reserve_bytes } = self.disk.survey() {
            group.refuse_appends(&AppendError::DiskReserve { free_bytes, reserve_bytes });
        }
        let damages = std::mem::take(&mut group.damage);
        match self.transact(&group) {
            Ok(replies) => self.finish(group, replies),
            Err(error) => self.recover(group, error),
        }
        for damage in damages {
            self.rebuild(damage.generation, &damage.reason);
            damage.repaired.send(()).ok();
        }
        if schema::journal_bytes(&self.config) > JOURNAL_BYTES {
            self.empty_journal();
        }
        let commits = self.announcements.commits.load(Ordering::Relaxed);
        if commits >= self.next_snapshot {
            self.next_snapshot = commits + SNAPSHOT_COMMITS;
            self.write_snapshot();
        }
    }

    /// After a failed commit. A damaged file is rebuilt, and the group tried again. A full disk must not stop settling,
    /// since settling is what frees space: without the appends the group may fit; if not, the ballast is there for it.
    fn recover(&mut self, mut group: Group, error: StorageError) {
        tracing::error!(%error, "a commit failed and was undone");
        if error.is_corrupt() && self.rebuild(self.readers.generation(), &error.to_string()) {
            return match self.transact(&group) {
                Ok(replies) => self.finish(group, replies),
                Err(error) => {
                    group.refuse_appends(&AppendError::Storage(error.clone()));
                    self.give_up(group, &error);
                }
            };
        }
        group.refuse_appends(&self.append_error(&error));
        if !error.may_be_full() {
            return self.give_up(group, &error);
        }
        let replies = self.transact(&group).or_else(|_| {
            self.make_room();
            self.transact(&group)
        });
        match replies {
            Ok(replies) => self.finish(group, replies),
            Err(error) => self.give_up(group, &error),
        }
    }

    /// Gives the ballast's space to the database, and what the write-ahead log takes beyond need.
    fn make_room(&mut self) {
        self.disk.release_ballast();
        self.empty_journal();
    }

    fn empty_journal(&self) {
        if self.pins.any() {
            return;
        }
        if let Err(error) = schema::checkpoint(&self.connection) {
            // Nothing is lost: it is read again at the next start.
            tracing::warn!(%error, "cannot empty the store's write-ahead log");
        }
    }

    fn write_snapshot(&self) {
        let written = Snapshot::take(&self.connection).and_then(|taken| taken.write(&self.config.folder));
        if let Err(error) = written {
            tracing::warn!(%error, "cannot write the snapshot of the destinations");
        }
    }

    fn give_up(&mut self, group: Group, error: &StorageError) {
        // Without a pause a failing expiry would spin.
        self.expiry.more = false;
        self.vacuum = false;
        self.expiry.due_ms = Some(self.config.clock.now_ms().saturating_add(RETRY_EXPIRY_MS));
        group.fail_changes(&StoreError::Storage(error.clone()));
    }

    fn append_error(&self, error: &StorageError) -> AppendError {
        if !error.is_full() {
            return AppendError::Storage(error.clone());
        }
        let free_bytes = self.config.free_space.of(&self.config.folder).unwrap_or(0);
        AppendError::DiskReserve { free_bytes, reserve_bytes: self.config.disk_reserve_bytes }
    }

    /// One transaction: changes in their order, then appends, then what is due to expire.
    fn transact(&mut self, group: &Group) -> Result<Replies, StorageError> {
        let now_ms = self.config.clock.now_ms();
        let mut due_ms = self.expiry.due_ms;
        let mut transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut changes = Vec::with_capacity(group.changes.len());
        let (mut marked, mut destinations) = (false, false);
        for (change, _) in &group.changes {
            let savepoint = transaction.savepoint()?;
            changes.push(match change::apply(savepoint, change, now_ms) {
                Ok(effect) => {
                    if let Some(stored_ms) = effect.finished_ms {
                        let due = stored_ms.saturating_add(as_millis(self.config.keep.age));
                        bring_forward(&mut due_ms, due);
                    }
                    if effect.due {
                        due_ms = Some(now_ms);
                    }
                    marked |= effect.marked;
                    destinations |= effect.destinations;
                    Ok(effect.letters)
                }
                Err(StoreError::Storage(error)) => return Err(error),
                Err(refusal) => Err(refusal),
            });
        }
        let appends: Vec<&Append> = group.appends.iter().map(|(append, _)| append).collect();
        let appends = append::apply(&transaction, &mut self.builder, &appends, now_ms)?;
        if !appends.is_empty() {
            bring_forward(&mut due_ms, now_ms.saturating_add(self.expiry.soonest_ms));
        }
        let due = self.expiry.more || due_ms.is_some_and(|due_ms| due_ms <= now_ms);
        let expiry = if due || expiry::is_over_size(&transaction, &self.config)? {
            expire(&mut transaction, &self.config, now_ms, self.expiry)?
        } else {
            Expiry { due_ms, ..self.expiry }
        };
        let vacuum = vacuum::step(&transaction)?;
        let next_position = log_row::read(&transaction)?.next_position;
        transaction.commit()?;
        self.announcements.commits.fetch_add(1, Ordering::Relaxed);
        (self.expiry, self.vacuum) = (expiry, vacuum);
        Ok(Replies { changes, appends, next_position, marked, destinations })
    }

    fn finish(&mut self, group: Group, replies: Replies) {
        if let Err(error) = self.alert.look(&self.connection, &self.config) {
            tracing::warn!(%error, "cannot tell how full the store is");
        }
        self.announcements.appended.send_if_modified(|position| {
            std::mem::replace(position, replies.next_position) != replies.next_position
        });
        if replies.destinations {
            self.write_snapshot();
        }
        if replies.marked {
            self.announcements.marked.send_modify(|commits| *commits = commits.wrapping_add(1));
        }
        group.answer(replies.changes, replies.appends);
    }
}

/// Expires what is due. A failure here must not be the answer to those who append and settle: it is tried again later.
/// But when space is missing, or the file is damaged, the whole commit would fail too.
fn expire(
    transaction: &mut Transaction<'_>,
    config: &StoreConfig,
    now_ms: u64,
    before: Expiry,
) -> Result<Expiry, StorageError> {
    let savepoint = transaction.savepoint()?;
    match expiry::run(&savepoint, config, now_ms) {
        Ok(expiry) => {
            savepoint.commit()?;
            Ok(expiry)
        }
        Err(error) if error.may_be_full() || error.is_corrupt() => Err(error),
        Err(error) => {
            tracing::error!(%error, "cannot expire events");
            let due_ms = Some(now_ms.saturating_add(RETRY_EXPIRY_MS));
            Ok(Expiry { more: false, due_ms, ..before })
        }
    }
}

fn bring_forward(due_ms: &mut Option<u64>, candidate_ms: u64) {
    *due_ms = Some(due_ms.map_or(candidate_ms, |due_ms| due_ms.min(candidate_ms)));
}

struct Replies {
    changes: Vec<Result<u64, StoreError>>,
    appends: Vec<Result<Appended, AppendError>>,
    next_position: u64,
    marked: bool,
    destinations: bool,
}

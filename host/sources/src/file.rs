//! Files of JSON lines that somebody else writes, followed as they grow.
//!
//! - Woken by the operating system; an idle folder costs nothing.
//! - Rotation by renaming: the renamed file is read to its end, under whatever name in the folder. Rotation by copying and
//!   truncating: a copy whose name is wanted goes on where the original was read to.
//! - A line that is no event, or is too long to be one, is counted and passed over.
//!
//! What this cannot do: lines that a rotation truncates before they were read, and of which there is no copy with a wanted
//! name, are lost; that is in the nature of truncating.

mod examine;
mod folder;
mod followed;
mod lines;
mod pattern;
mod position;
mod state;
mod watch;

use std::convert::Infallible;
use std::time::Duration;

use tokio::task::spawn_blocking;

pub use examine::{FileProblem, examine};
pub use pattern::{Pattern, PatternError};

use crate::checkpoint::CheckpointFile;
use crate::file::folder::Found;
use crate::file::followed::{Followed, Look, Portion};
use crate::file::position::Position;
use crate::file::state::{Change, Files};
use crate::file::watch::Watch;
use crate::progress::{Means, Outcome, Progress, Stopped};
use crate::refusals::Refusals;

/// Followed at the same time, each held open.
pub const MOST_FILES: usize = 256;
/// Renamed files that are read to their end and are still in the folder. More are not held.
const MOST_RENAMED: usize = 16;

const SHORTEST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

const FOLDER_HINT: &str = "create the folder, or let the user of the host read it";

/// Which files are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileConfig {
    pub pattern: Pattern,
    pub from: From,
}

/// Where a file begins that is there when the source is started for the first time. Later ones are read from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum From {
    #[default]
    Beginning,
    End,
}

pub(crate) async fn run(
    config: FileConfig,
    means: Means,
    checkpoint: CheckpointFile,
) -> Result<Infallible, Stopped> {
    let progress = Progress::resume(means.clone(), checkpoint).await?;
    let refusals = Refusals::new(&means.source, means.feed.clone());
    let mut source = Source { config, means, progress, refusals, followed: Vec::new() };
    let mut retry = SHORTEST_RETRY;
    loop {
        let (problem, hint) = match source.follow(&mut retry).await? {
            Trouble::Watch(error) => (watch_problem(&source.config, &error), WATCH_HINT),
            Trouble::Folder(error) => {
                let folder = source.config.pattern.folder.display();
                (format!("cannot read the folder {folder}: {error}"), FOLDER_HINT)
            }
        };
        source.means.status.problem(&problem, hint);
        source.means.pause(retry).await?;
        retry = (retry * 2).min(LONGEST_RETRY);
    }
}

const WATCH_HINT: &str = "check that the folder is there; when it is, raise fs.inotify.max_user_instances and \
                          fs.inotify.max_user_watches with sysctl";

fn watch_problem(config: &FileConfig, error: &notify::Error) -> String {
    format!("cannot watch the folder {}: {error}", config.pattern.folder.display())
}

/// Why the folder cannot be followed just now.
enum Trouble {
    Watch(notify::Error),
    Folder(std::io::Error),
}

struct Source {
    config: FileConfig,
    means: Means,
    progress: Progress<Files>,
    refusals: Refusals,
    followed: Vec<Followed>,
}

impl Source {
    /// Follows the folder for as long as it can be followed.
    async fn follow(&mut self, retry: &mut Duration) -> Result<Trouble, Stopped> {
        let mut watch = match Watch::new(&self.config.pattern.folder) {
            Ok(watch) => watch,
            Err(error) => return Ok(Trouble::Watch(error)),
        };
        loop {
            if watch.take_listing() {
                if let Err(error) = watch.renew() {
                    return Ok(Trouble::Watch(error));
                }
                if let Err(error) = self.look().await {
                    return Ok(Trouble::Folder(error));
                }
                self.means.status.well();
                *retry = SHORTEST_RETRY;
            }
            if self.means.stop.is_cancelled() {
                return Err(Stopped);
            }
            if self.read_each().await? {
                continue;
            }
            if self.let_go().await {
                watch.distrust();
                continue;
            }
            tokio::select! {
                biased;
                () = self.means.stop.cancelled() => return Err(Stopped),
                () = watch.change() => {}
            }
        }
    }

    async fn look(&mut self) -> std::io::Result<()> {
        let (pattern, from) = (self.config.pattern.clone(), self.config.from);
        let known = self.progress.state().clone();
        let mut followed = std::mem::take(&mut self.followed);
        let looked = spawn_blocking(move || {
            let found = folder::look(&pattern, from, &known, &mut followed);
            (found, followed)
        });
        let Ok((found, followed)) = looked.await else { return Err(std::io::ErrorKind::Interrupted.into()) };
        self.followed = followed;
        let Found { changes, problem } = found?;
        self.means.status.partial(problem.as_ref().map(|(problem, hint)| (problem.as_str(), *hint)));
        for change in changes {
            self.progress.note(change).await;
        }
        Ok(())
    }

    /// One portion of each file, so that a large one does not keep the others waiting. False when none had any.
    async fn read_each(&mut self) -> Result<bool, Stopped> {
        let mut lag_bytes = 0;
        let mut any = false;
        for index in 0..self.followed.len() {
            if self.means.stop.is_cancelled() {
                return Err(Stopped);
            }
            any |= self.read_one(index).await?;
            lag_bytes += self.followed.get(index).map_or(0, Followed::lag_bytes);
        }
        self.means.status.lag(lag_bytes);
        Ok(any)
    }

    async fn read_one(&mut self, index: usize) -> Result<bool, Stopped> {
        if index >= self.followed.len() {
            return Ok(false);
        }
        let mut one = self.followed.swap_remove(index);
        let looking = spawn_blocking(move || (one.look(), one));
        let Ok((look, one)) = looking.await else { return Ok(false) };
        let last = self.followed.len();
        self.followed.push(one);
        self.followed.swap(index, last);
        match look {
            Ok(Look::Nothing) => Ok(false),
            Ok(Look::Anew) => {
                self.begin_anew(index).await;
                Ok(true)
            }
            Ok(Look::Lines(portion)) => self.take(index, portion).await.map(|()| true),
            Err(error) => {
                let path = self.followed.get(index).map(|one| one.path.display().to_string());
                let problem = format!("cannot read {}: {error}", path.unwrap_or_default());
                self.means.status.partial(Some((&problem, "check the disk and the file's rights")));
                Ok(false)
            }
        }
    }

    async fn begin_anew(&mut self, index: usize) {
        let Some(one) = self.followed.get_mut(index) else { return };
        tracing::info!(
            path = %one.path.display(),
            read_bytes = one.position.offset,
            "the file was truncated or replaced: it is read from its beginning"
        );
        one.go_on_from(Position::default());
        let change = Change::Begun(one.id, Position::default());
        self.progress.note(change).await;
    }

    async fn take(&mut self, index: usize, portion: Portion) -> Result<(), Stopped> {
        let Some(one) = self.followed.get_mut(index) else { return Ok(()) };
        let Portion { events, offsets, after, too_long } = portion;
        let (id, path) = (one.id, one.path.display().to_string());
        let change = Change::Read(id, after.clone());
        if too_long {
            let place = format!("{path} at byte {}", one.position.offset);
            self.refusals.count_and_tell(place, "the line is too long to be an event");
        }
        if events.is_empty() {
            self.progress.note(change).await;
        } else if let Outcome::Stored { refused, reasons } = self.progress.take(&events, change).await? {
            let place =
                |index: usize| format!("{path} at byte {}", offsets.get(index).copied().unwrap_or_default());
            self.refusals.tell(refused, reasons.into_iter().map(|(index, reason)| (place(index), reason)));
        }
        // Where the store had this portion already, it knows how far that one went.
        let stored = self.progress.state().read.get(&id).cloned().unwrap_or(after);
        if let Some(one) = self.followed.get_mut(index) {
            one.go_on_from(stored);
        }
        Ok(())
    }

    /// Lets go of files that are read to their end and will not be written any more. True when there was one.
    async fn let_go(&mut self) -> bool {
        let renamed = self.followed.iter().filter(|one| !one.is_wanted && !one.is_gone).count();
        let mut surplus = renamed.saturating_sub(MOST_RENAMED);
        let mut ended = Vec::new();
        self.followed.retain(|one| {
            let is_surplus = !one.is_wanted && !one.is_gone && surplus > 0;
            surplus -= usize::from(is_surplus);
            if one.is_gone {
                ended.push((one.id, one.path.clone(), one.lag_bytes(), one.position.offset));
            }
            !one.is_gone && !is_surplus
        });
        let any = !ended.is_empty();
        for (id, path, left_bytes, offset) in ended {
            if left_bytes > 0 {
                let place = format!("{} at byte {offset}", path.display());
                self.refusals.count_and_tell(place, "the file was removed in the middle of a line");
            }
            self.progress.note(Change::Gone(id)).await;
        }
        any
    }
}

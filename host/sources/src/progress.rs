//! How far a source has come, so that a restart goes on exactly there.
//!
//! Portions are numbered. The store keeps with each portion's events, in the same commit, its number and what changed
//! by it; only then is the checkpoint file replaced. After a crash the file may be behind the store by a portion or
//! more: the store is asked for the number that the file expects next, and each answer leads one further. So it does not
//! matter that the file and the store are not written at once, nor where the next portion would have been cut.
//!
//! The store forgets such marks after a day. Only a host that was killed between the two writes, and stays away for
//! longer, reads the last portion again.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use siemaphore_intake::{Feed, FeedError, Mark, RawEvents, Taken};
use siemaphore_secrets::Secrets;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::checkpoint::{Checkpoint, CheckpointFile};
use crate::status::Status;

/// What a source has to remember.
pub(crate) trait State: Clone + Default + Serialize + DeserializeOwned + Send + 'static {
    /// What one portion changes.
    type Change: Serialize + DeserializeOwned + Send;

    fn apply(&mut self, change: Self::Change);
}

/// The host stops: the task ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// What became of a portion.
#[derive(Debug)]
pub(crate) enum Outcome {
    Stored {
        refused: usize,
        reasons: Vec<(usize, String)>,
    },
    /// The store had it already; the state is that of then.
    Repeated,
}

/// What every source works with.
#[derive(Clone)]
pub(crate) struct Means {
    pub(crate) source: String,
    pub(crate) feed: Feed,
    pub(crate) stop: CancellationToken,
    pub(crate) status: Arc<Status>,
    pub(crate) secrets: Arc<Secrets>,
}

impl Means {
    pub(crate) async fn pause(&self, length: Duration) -> Result<(), Stopped> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Stopped),
            () = tokio::time::sleep(length) => Ok(()),
        }
    }
}

pub(crate) struct Progress<S> {
    means: Means,
    file: CheckpointFile,
    checkpoint: Checkpoint<S>,
}

const RETRY: Duration = Duration::from_secs(2);
const FILE_HINT: &str = "check space and rights of the folder `sources` in the state folder";

impl<S: State> Progress<S> {
    /// Goes on where the source was, or begins.
    pub(crate) async fn resume(means: Means, file: CheckpointFile) -> Result<Progress<S>, Stopped> {
        let checkpoint = match open(&means, &file).await? {
            Some(checkpoint) => checkpoint,
            None => {
                let chain = format!("{:032x}", fastrand::u128(..));
                Checkpoint { chain, next: 0, state: S::default() }
            }
        };
        let mut progress = Progress { means, file, checkpoint };
        // The chain's name has to be on disk before anything is stored under it.
        while !progress.save().await {
            progress.means.pause(RETRY).await?;
        }
        progress.catch_up().await?;
        Ok(progress)
    }

    pub(crate) fn state(&self) -> &S {
        &self.checkpoint.state
    }

    /// Stores a portion, however long the store has to be waited for.
    pub(crate) async fn take(&mut self, events: &RawEvents, change: S::Change) -> Result<Outcome, Stopped> {
        let mark = Mark { key: self.key(), note: to_text(&change) };
        let taken = loop {
            match self.means.feed.take(events, &mark).await {
                Ok(taken) => break taken,
                Err(error) => self.wait_for_the_store(error).await?,
            }
        };
        self.means.status.well();
        match taken {
            Taken::Stored { refused, reasons, .. } => {
                self.means.status.stored();
                self.advance(change).await;
                Ok(Outcome::Stored { refused, reasons })
            }
            Taken::Repeated { note } => {
                self.advance(from_text(&note).unwrap_or(change)).await;
                Ok(Outcome::Repeated)
            }
        }
    }

    /// Remembers what no event goes with. A failure is told, and made up for by the next portion.
    pub(crate) async fn note(&mut self, change: S::Change) {
        self.checkpoint.state.apply(change);
        self.save().await;
    }

    /// Follows what the store knows beyond the checkpoint file.
    async fn catch_up(&mut self) -> Result<(), Stopped> {
        loop {
            match self.means.feed.remembered(&self.key()).await {
                Ok(None) => return Ok(()),
                Ok(Some(note)) => match from_text(&note) {
                    Some(change) => self.advance(change).await,
                    // Written by another version: the number is taken, what it meant is not known.
                    None => self.checkpoint.next += 1,
                },
                Err(error) => self.wait_for_the_store(error).await?,
            }
        }
    }

    async fn advance(&mut self, change: S::Change) {
        self.checkpoint.next += 1;
        self.note(change).await;
    }

    async fn wait_for_the_store(&self, error: FeedError) -> Result<(), Stopped> {
        match error {
            FeedError::Stopping => {
                // The store may be closed a moment before the source is told to stop.
                self.means.stop.cancelled().await;
                Err(Stopped)
            }
            FeedError::Later { reason, wait } => {
                self.means
                    .status
                    .problem(&reason, "nothing is lost: it goes on by itself when there is room");
                self.means.pause(wait).await
            }
        }
    }

    fn key(&self) -> String {
        format!("{}-{}", self.checkpoint.chain, self.checkpoint.next)
    }

    async fn save(&mut self) -> bool {
        let (file, checkpoint) = (self.file.clone(), self.checkpoint.clone());
        let written = spawn_blocking(move || file.write(&checkpoint)).await;
        match written {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                let path = self.file.path().display();
                self.means.status.problem(&format!("cannot write {path}: {error}"), FILE_HINT);
                false
            }
            Err(_ended) => false,
        }
    }
}

async fn open<S: State>(means: &Means, file: &CheckpointFile) -> Result<Option<Checkpoint<S>>, Stopped> {
    loop {
        let reading = file.clone();
        let path = file.path().display();
        match spawn_blocking(move || reading.read()).await {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(error)) if error.kind() == ErrorKind::InvalidData => {
                let aside =
                    file.set_aside().map_or_else(|error| error.to_string(), |to| to.display().to_string());
                tracing::error!(
                    source = means.source,
                    path = %path,
                    aside,
                    error = %error,
                    "the checkpoint cannot be understood: the source begins anew, and events may arrive twice"
                );
                return Ok(None);
            }
            Ok(Err(error)) => {
                means.status.problem(&format!("cannot read {path}: {error}"), FILE_HINT);
            }
            Err(_ended) => {}
        }
        means.pause(RETRY).await?;
    }
}

/// Numbers, text and lists always have a JSON form.
fn to_text(change: &impl Serialize) -> String {
    serde_json::to_string(change).unwrap_or_default()
}

fn from_text<T: DeserializeOwned>(note: &str) -> Option<T> {
    serde_json::from_str(note).ok()
}

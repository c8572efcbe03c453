//! The commands that are committed together, and the answers they wait for.

use crate::append::{Append, Appended};
use crate::change::Change;
use crate::error::{AppendError, StoreError};
use crate::queue::{Answer, Command, Damage, Queued};
use std::sync::mpsc::Receiver;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// A group larger than this would make its first callers wait too long.
const GROUP_BYTES: usize = 16 << 20;
const GROUP_COMMANDS: usize = 1024;

#[derive(Default)]
pub(crate) struct Group {
    pub(crate) appends: Vec<(Append, Answer<Appended, AppendError>)>,
    pub(crate) changes: Vec<(Change, Answer<u64, StoreError>)>,
    pub(crate) closing: Vec<oneshot::Sender<()>>,
    pub(crate) damage: Vec<Damage>,
    bytes: usize,
    /// Given back to the queue when the group has been answered.
    room: Vec<OwnedSemaphorePermit>,
}

impl Group {
    /// Takes the first command and all that waits behind it, up to a limit.
    pub(crate) fn gather(first: Queued, commands: &Receiver<Queued>) -> Group {
        let mut group = Group::default();
        group.add(first);
        while group.has_room() {
            let Ok(next) = commands.try_recv() else { break };
            group.add(next);
        }
        group
    }

    fn has_room(&self) -> bool {
        let commands = self.appends.len() + self.changes.len();
        self.closing.is_empty() && self.bytes < GROUP_BYTES && commands < GROUP_COMMANDS
    }

    fn add(&mut self, queued: Queued) {
        self.room.extend(queued.room);
        match queued.command {
            Command::Append(append, answer) => {
                self.bytes += append.events.as_bytes().len();
                self.appends.push((append, answer));
            }
            Command::Change(change, answer) => self.changes.push((change, answer)),
            Command::Damage(damage) => self.damage.push(damage),
            Command::Close(ended) => self.closing.push(ended),
        }
    }

    pub(crate) fn refuse_appends(&mut self, error: &AppendError) {
        for (_, answer) in self.appends.drain(..) {
            send(answer, Err(error.clone()));
        }
    }

    pub(crate) fn fail_changes(self, error: &StoreError) {
        for (_, answer) in self.changes {
            send(answer, Err(error.clone()));
        }
    }

    /// Answers everyone, in the order of the group.
    pub(crate) fn answer(
        self,
        changes: Vec<Result<u64, StoreError>>,
        appends: Vec<Result<Appended, AppendError>>,
    ) {
        for ((_, answer), reply) in self.changes.into_iter().zip(changes) {
            send(answer, reply);
        }
        for ((_, answer), reply) in self.appends.into_iter().zip(appends) {
            send(answer, reply);
        }
    }
}

fn send<T, E>(answer: Answer<T, E>, reply: Result<T, E>) {
    // A caller that has gone away does not need its answer.
    answer.send(reply).ok();
}

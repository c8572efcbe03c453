//! What the writer does besides appending, and what each change means for its caller and for expiry.

use crate::block::BlockId;
use crate::dead_letter_limit;
use crate::destination::{Counts, Registration};
use crate::error::StoreError;
use crate::grant::Grant;
use crate::settle::{self, Settlement};
use crate::{damage, destination, grant, replay};
use rusqlite::{Connection, Savepoint};

#[derive(Debug)]
pub(crate) enum Change {
    Settle(Settlement),
    OpenDestination(Registration),
    RetainDestinations(Vec<String>),
    Grant {
        destination: String,
        grant: Grant,
    },
    /// The same for some dead letters of one destination.
    Letters {
        destination: String,
        action: LetterAction,
        ids: Vec<i64>,
    },
    DropDamaged(BlockId),
    Expire,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LetterAction {
    /// Mark it for replay.
    Mark,
    Unmark,
    Discard,
}

/// What a change did.
#[derive(Debug, Default)]
pub(crate) struct Effect {
    /// How many letters were changed.
    pub(crate) letters: u64,
    /// When the oldest block was stored that may now be deleted.
    pub(crate) finished_ms: Option<u64>,
    /// A limit changed or was reached: look at once.
    pub(crate) due: bool,
    /// Letters wait for their replay that did not before.
    pub(crate) marked: bool,
    /// The set of destinations or their limits may be another one.
    pub(crate) destinations: bool,
}

impl Change {
    /// What it takes while it waits in the queue.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Change::Settle(settlement) => settlement.bytes(),
            Change::Letters { ids, .. } => size_of_val(ids.as_slice()),
            _ => 0,
        }
    }
}

/// Applies one change; one that is refused leaves nothing behind.
pub(crate) fn apply(savepoint: Savepoint<'_>, change: &Change, now_ms: u64) -> Result<Effect, StoreError> {
    let effect = apply_within(&savepoint, change, now_ms)?;
    savepoint.commit()?;
    Ok(effect)
}

fn apply_within(connection: &Connection, change: &Change, now_ms: u64) -> Result<Effect, StoreError> {
    let mut effect = Effect::default();
    match change {
        Change::Settle(settlement) => {
            let settled = settle::apply(connection, settlement, now_ms)?;
            effect.finished_ms = settled.oldest_finished_ms;
            effect.due = settled.too_many_letters;
        }
        Change::OpenDestination(registration) => {
            destination::open(connection, registration)?;
            (effect.due, effect.destinations) = (true, true);
        }
        Change::RetainDestinations(names) => {
            destination::retain(connection, names)?;
            (effect.due, effect.destinations) = (true, true);
        }
        Change::Grant { destination, grant } => grant::put(connection, destination, grant)?,
        Change::Letters { destination, action, ids } => {
            effect.letters = change_letters(connection, destination, *action, ids)?;
            effect.marked = *action == LetterAction::Mark && effect.letters > 0;
        }
        Change::DropDamaged(block) => damage::drop_block(connection, *block, now_ms)?,
        Change::Expire => effect.due = true,
    }
    Ok(effect)
}

fn change_letters(
    connection: &Connection,
    destination: &str,
    action: LetterAction,
    ids: &[i64],
) -> Result<u64, StoreError> {
    let destination = destination::get(connection, destination)?;
    match action {
        LetterAction::Mark => Ok(replay::mark(connection, &destination.name, ids)?),
        LetterAction::Unmark => Ok(replay::unmark(connection, &destination.name, ids)?),
        LetterAction::Discard => {
            let discarded = replay::delete(connection, &destination.name, ids)?;
            let counts = Counts { discarded, ..dead_letter_limit::fewer_letters(discarded) };
            destination.save(connection, counts)?;
            Ok(discarded)
        }
    }
}

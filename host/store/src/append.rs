//! Appending: the events of one commit become blocks, and get their positions.
//!
//! Appends of the same organisation that wait together are merged, so that many small requests make large blocks.

use crate::block::BlockBuilder;
use crate::error::{AppendError, StorageError};
use crate::idempotency::{self, Idempotency};
use crate::{block_row, destination, log_row};
use rusqlite::Connection;
use siemaphore_model::EventBuffer;
use std::collections::BTreeMap;

/// Events of one organisation to be stored.
#[derive(Debug, Clone)]
pub struct Append {
    pub organization: String,
    /// May be empty: then only the idempotency key is stored.
    pub events: EventBuffer,
    pub idempotency: Option<Idempotency>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// The events are on disk, at consecutive positions.
    Stored { first: u64, count: u64 },
    /// This request was stored before, and this is what it was answered.
    Repeated { answer: String },
}

pub(crate) type Reply = Result<Appended, AppendError>;

/// Stores all appends of one commit; the replies are in the same order.
pub(crate) fn apply(
    connection: &Connection,
    builder: &mut BlockBuilder,
    appends: &[&Append],
    now_ms: u64,
) -> Result<Vec<Reply>, StorageError> {
    let mut replies: Vec<(usize, Reply)> = Vec::with_capacity(appends.len());
    let mut by_organization: BTreeMap<&str, Vec<(usize, &EventBuffer)>> = BTreeMap::new();
    for (index, append) in appends.iter().enumerate() {
        match repeated(connection, append, now_ms) {
            Ok(None) => {
                by_organization.entry(&append.organization).or_default().push((index, &append.events));
            }
            Ok(Some(answer)) => replies.push((index, Ok(Appended::Repeated { answer }))),
            Err(AppendError::Storage(error)) => return Err(error),
            Err(refusal) => replies.push((index, Err(refusal))),
        }
    }
    let first_free = log_row::read(connection)?.next_position;
    let mut writing = Writing { connection, builder, now_ms, next_position: first_free };
    for (organization, appends) in by_organization {
        writing.store(organization, &appends, &mut replies)?;
    }
    if writing.next_position > first_free {
        log_row::set_next_position(connection, writing.next_position)?;
    }
    replies.sort_by_key(|(index, _)| *index);
    Ok(replies.into_iter().map(|(_, reply)| reply).collect())
}

/// The answer to an append that was stored before. A new key is noted at once, so that the same key further on in the
/// same commit finds it.
fn repeated(connection: &Connection, append: &Append, now_ms: u64) -> Result<Option<String>, AppendError> {
    let Some(new) = &append.idempotency else { return Ok(None) };
    let answer = idempotency::find(connection, &new.source, &new.key, &new.digest, now_ms)?;
    if answer.is_none() {
        idempotency::insert(connection, new, now_ms).map_err(StorageError::from)?;
    }
    Ok(answer)
}

struct Writing<'a> {
    connection: &'a Connection,
    builder: &'a mut BlockBuilder,
    now_ms: u64,
    next_position: u64,
}

impl Writing<'_> {
    /// Stores what one organisation appended, in the order of arrival.
    fn store(
        &mut self,
        organization: &str,
        appends: &[(usize, &EventBuffer)],
        replies: &mut Vec<(usize, Reply)>,
    ) -> Result<(), StorageError> {
        log_row::ensure_organization(self.connection, organization)?;
        let awaited_by = destination::count_active(self.connection, organization)?;
        let mut first = self.next_position;
        // A commit that failed may have left something behind.
        self.builder.clear();
        for (index, events) in appends {
            let mut iter = events.iter();
            let mut rest = iter.as_bytes();
            while let Some(event) = iter.next() {
                let encoded = rest.get(..rest.len() - iter.as_bytes().len()).unwrap_or_default();
                rest = iter.as_bytes();
                if !self.builder.has_room_for(encoded) {
                    self.seal(organization, awaited_by)?;
                }
                self.builder.push(&event, encoded);
            }
            let count = events.len() as u64;
            replies.push((*index, Ok(Appended::Stored { first, count })));
            first += count;
        }
        if !self.builder.is_empty() {
            self.seal(organization, awaited_by)?;
        }
        Ok(())
    }

    fn seal(&mut self, organization: &str, awaited_by: u64) -> Result<(), StorageError> {
        let sealed = self.builder.seal(self.next_position)?;
        block_row::insert(self.connection, organization, self.now_ms, awaited_by, &sealed)?;
        self.next_position += sealed.summary.count;
        Ok(())
    }
}

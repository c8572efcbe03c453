//! The records of one request, and how to make smaller requests of them.

use std::sync::Arc;

use siemaphore_delivery::{FramedBody, Group, MessageId, TooLarge};
use siemaphore_model::formatter::Records;
use siemaphore_store::AttemptRecord;

use crate::chunk::{Chunk, Lane};
use crate::suspects::Trial;
use crate::version::Version;

/// The records of one `format` call. Kept while any of them is not settled, so that a request can be cut smaller
/// without asking the guest again.
#[derive(Debug)]
pub(crate) struct FormattedChunk {
    pub(crate) version: Arc<Version>,
    pub(crate) chunk: Chunk,
    pub(crate) records: Records,
}

/// One request that is to be made.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) formatted: Arc<FormattedChunk>,
    /// Indices into the chunk, ascending.
    pub(crate) members: Vec<u32>,
    pub(crate) group: Group,
    pub(crate) body: FramedBody,
    /// What earlier requests with these events met, the oldest first.
    pub(crate) attempts: Vec<AttemptRecord>,
    /// Requests with these events that failed and may be tried again.
    pub(crate) retries: u32,
    /// When a request with these events was first refused for what is in it, by the clock of
    /// [`Suspects`](crate::suspects::Suspects).
    pub(crate) refused_at: Option<u64>,
    /// When this request was sent, by the same clock.
    pub(crate) sent_at: u64,
    pub(crate) trial: Trial,
}

/// So many attempts are remembered with a batch: the first, and the latest.
const ATTEMPTS_KEPT: usize = 16;

impl Batch {
    pub(crate) fn lane(&self) -> Lane {
        self.formatted.chunk.lane()
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = u64> + '_ {
        let places = self.formatted.chunk.places();
        self.members.iter().filter_map(move |&member| places.get(member as usize).copied())
    }

    /// The place of the event of one record of the request.
    pub(crate) fn place(&self, record: usize) -> Option<u64> {
        self.formatted.chunk.places().get(*self.members.get(record)? as usize).copied()
    }

    /// The records whose events were received before a moment, by their index in this request.
    pub(crate) fn received_before(&self, oldest_ns: u64) -> Vec<usize> {
        let mut members = self.members.iter().enumerate().peekable();
        let mut old = Vec::new();
        for (index, event) in (0..).zip(self.formatted.chunk.iter()) {
            if let Some((record, _)) = members.next_if(|(_, member)| **member == index)
                && event.received_ns() < oldest_ns
            {
                old.push(record);
            }
        }
        old
    }

    /// The same for the same events, however often they are sent.
    pub(crate) fn message_id(&self) -> MessageId {
        let mut members = self.members.iter().peekable();
        let events = (0..).zip(self.formatted.chunk.iter());
        MessageId::of_events(
            events.filter_map(|(index, event)| {
                members.next_if(|member| **member == index).map(|_| event.key())
            }),
        )
    }

    /// The events themselves, for formatting them anew or keeping them.
    pub(crate) fn chunk(&self) -> Chunk {
        self.formatted.chunk.subset(&self.members)
    }

    /// One event of the request.
    pub(crate) fn single(&self, record: usize) -> Option<Chunk> {
        self.members.get(record).map(|&member| self.formatted.chunk.subset(&[member]))
    }

    /// The events of some records of the request, by their index in ascending order.
    pub(crate) fn part(&self, records: &[usize]) -> Chunk {
        let members: Vec<u32> =
            records.iter().filter_map(|&record| self.members.get(record).copied()).collect();
        self.formatted.chunk.subset(&members)
    }

    pub(crate) fn remember(&mut self, attempt: AttemptRecord) {
        if self.attempts.len() >= ATTEMPTS_KEPT {
            self.attempts.remove(1);
        }
        self.attempts.push(attempt);
    }

    /// Frames some of the records again, by their index in this request. Compresses: not for async threads.
    pub(crate) fn reframe(&self, records: impl IntoIterator<Item = usize>) -> Vec<Batch> {
        let members = records.into_iter().filter_map(|record| self.members.get(record).copied()).collect();
        let (batches, _) = frame(&self.formatted, &self.group, members);
        batches
            .into_iter()
            .map(|batch| Batch {
                attempts: self.attempts.clone(),
                retries: self.retries,
                refused_at: self.refused_at,
                trial: self.trial,
                ..batch
            })
            .collect()
    }

    /// Two requests of half the records each.
    pub(crate) fn halve(&self) -> Vec<Batch> {
        let half = self.members.len().div_ceil(2);
        let mut halves = self.reframe(0..half);
        halves.extend(self.reframe(half..self.members.len()));
        halves
    }
}

/// Frames the records of `members` into as few requests as the granted limits allow. What is too large by itself
/// comes back with its index in the chunk.
pub(crate) fn frame(
    formatted: &Arc<FormattedChunk>,
    group: &Group,
    members: Vec<u32>,
) -> (Vec<Batch>, Vec<(u32, TooLarge)>) {
    let all: Vec<&[u8]> = formatted.records.iter().collect();
    let records: Vec<&[u8]> =
        members.iter().map(|&member| all.get(member as usize).copied().unwrap_or_default()).collect();
    let frames = siemaphore_delivery::frame(&formatted.version.profile, &records);
    let batches = frames.bodies.into_iter().map(|framed| Batch {
        formatted: Arc::clone(formatted),
        members: members.iter().skip(framed.first).take(framed.count).copied().collect(),
        group: group.clone(),
        body: framed.body,
        attempts: Vec::new(),
        retries: 0,
        refused_at: None,
        sent_at: 0,
        trial: Trial::First,
    });
    let too_large = frames.too_large.into_iter();
    let too_large =
        too_large.filter_map(|record| members.get(record.index).map(|&member| (member, record))).collect();
    (batches.collect(), too_large)
}

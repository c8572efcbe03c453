//! From the log to framed requests: find blocks, skip what is not subscribed to, format the rest.

use std::ops::Range;
use std::sync::Arc;

use siemaphore_model::{EventBuffer, Subscription};
use siemaphore_store::{BlockHeader, FullDeadLetter, LoadError, Store, StoreError};

use crate::Stages;
use crate::chunk::{Chunk, Lane, ranges};
use crate::formatting::{Formatted, format};
use crate::suspects::Trial;
use crate::version::Version;

/// What one look at the log brought.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// Positions that the subscription does not want.
    pub(crate) filtered: Vec<Range<u64>>,
    pub(crate) formatted: Vec<Formatted>,
    /// Where to go on.
    pub(crate) next: u64,
    /// There was nothing more.
    pub(crate) at_end: bool,
}

/// A look ends when it has found so much: enough to fill requests, little enough to hold in memory several times.
const FETCH_EVENTS: usize = 2_000;
const FETCH_BYTES: usize = 1024 * 1024;
/// Smaller blocks are gathered into one call.
const WHOLE_BLOCK_BYTES: usize = FETCH_BYTES / 2;
/// Blocks skipped unread in one look; their positions must be settled before more are.
const SKIPPED_BLOCKS: usize = 1_000;

/// One `format` call takes no more.
const CALL_EVENTS: usize = siemaphore_sandbox::limits::MAX_EVENTS;
const CALL_DOCUMENT_BYTES: usize = siemaphore_sandbox::limits::MAX_DOCUMENT_BYTES;

/// Reads from `from` on, and formats what is wanted.
pub(crate) async fn fetch(
    stages: &Stages,
    destination: &str,
    subscription: Arc<Subscription>,
    version: Arc<Version>,
    from: u64,
) -> Result<Fetched, StoreError> {
    let found = find(&stages.store, destination, &subscription, from).await?;
    let mut fetched =
        Fetched { filtered: found.filtered, next: found.next, at_end: found.at_end, ..Fetched::default() };
    if found.blocks.is_empty() {
        return Ok(fetched);
    }
    // A sandbox that is closed means that the host is stopping: the events stay in the log.
    let selected = stages.sandbox.run(move || select(&found.blocks, &subscription)).await;
    let Ok((chunks, filtered)) = selected else { return Ok(fetched) };
    fetched.filtered.extend(filtered);
    let mut chunks = chunks.into_iter();
    while let Some(chunk) = chunks.next() {
        let Ok(formatted) = format(&stages.sandbox, &version, chunk, Trial::First).await else { break };
        if formatted.trouble.is_some() {
            // Before it, because what is postponed goes to the front of the queue.
            let postponed = chunks.by_ref().collect();
            fetched.formatted.push(Formatted { postponed, ..Formatted::default() });
        }
        fetched.formatted.push(formatted);
    }
    Ok(fetched)
}

#[derive(Default)]
struct Found {
    blocks: Vec<(BlockHeader, Arc<EventBuffer>)>,
    filtered: Vec<Range<u64>>,
    next: u64,
    at_end: bool,
}

async fn find(
    store: &Store,
    destination: &str,
    subscription: &Subscription,
    from: u64,
) -> Result<Found, StoreError> {
    let mut found = Found { next: from, ..Found::default() };
    let (mut events, mut bytes, mut skipped) = (0, 0, 0);
    while events < FETCH_EVENTS && bytes < FETCH_BYTES && skipped < SKIPPED_BLOCKS {
        let Some(header) = store.next_block(destination, found.next).await? else {
            found.at_end = true;
            break;
        };
        found.next = header.first + header.count;
        let wanted = |event_type: &str| subscription.wants_type(event_type);
        if header.highest_severity < subscription.minimum_severity || !header.event_types.may_match(wanted) {
            found.filtered.extend(header.unsettled);
            skipped += 1;
            continue;
        }
        match store.load(header.block).await {
            Ok(block) => {
                events += block.len();
                bytes += block.as_bytes().len();
                found.blocks.push((header, block));
            }
            // Expired between the two calls.
            Err(LoadError::Gone(_)) => {}
            Err(error @ LoadError::Damaged { .. }) => {
                tracing::error!(destination, error = %error, "a block of the log is damaged");
                store.drop_damaged(header.block).await?;
            }
            Err(LoadError::Closed) => return Err(StoreError::Closed),
            Err(LoadError::Storage(error)) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// Cuts blocks into chunks of wanted, unsettled events, each small enough for one call.
fn select(
    blocks: &[(BlockHeader, Arc<EventBuffer>)],
    subscription: &Subscription,
) -> (Vec<Chunk>, Vec<Range<u64>>) {
    let mut chunks = Chunks::of(Lane::Log);
    let mut filtered = Vec::new();
    for (header, block) in blocks {
        if is_wanted_whole(header, block, subscription) {
            chunks.push_block(block, header.first);
            continue;
        }
        let mut unsettled = header.unsettled.iter().peekable();
        for (position, event) in (header.first..).zip(block.iter()) {
            while unsettled.next_if(|range| range.end <= position).is_some() {}
            if !unsettled.peek().is_some_and(|range| range.contains(&position)) {
                continue;
            }
            if subscription.matches(&event) {
                chunks.push(&event, position);
            } else {
                filtered.push(position);
            }
        }
    }
    (chunks.finish(), ranges(filtered))
}

/// Under load most blocks are full and wanted as they are: those are worth a call of their own, and need no copy.
fn is_wanted_whole(header: &BlockHeader, block: &EventBuffer, subscription: &Subscription) -> bool {
    let whole = header.first..header.first + header.count;
    block.len() <= CALL_EVENTS
        && block.as_bytes().len() <= CALL_DOCUMENT_BYTES
        && block.as_bytes().len() >= WHOLE_BLOCK_BYTES
        && header.unsettled.as_slice() == [whole]
        && (subscription.is_everything() || block.iter().all(|event| subscription.matches(&event)))
}

/// Cuts dead letters into chunks, each small enough for one call.
pub(crate) fn chunks_of_letters(letters: &[FullDeadLetter]) -> Vec<Chunk> {
    let mut chunks = Chunks::of(Lane::Replay);
    for letter in letters {
        // Ids begin at 1.
        let Ok(id) = u64::try_from(letter.letter.id) else { continue };
        letter.event.iter().take(1).for_each(|event| chunks.push(&event, id));
    }
    chunks.finish()
}

struct Chunks {
    lane: Lane,
    done: Vec<Chunk>,
    events: EventBuffer,
    places: Vec<u64>,
    document_bytes: usize,
}

impl Chunks {
    fn of(lane: Lane) -> Chunks {
        let (done, events, places) = (Vec::new(), EventBuffer::new(), Vec::new());
        Chunks { lane, done, events, places, document_bytes: 0 }
    }

    fn push(&mut self, event: &siemaphore_model::Event<'_>, place: u64) {
        let bytes = event.document().len();
        if self.places.len() >= CALL_EVENTS || self.document_bytes + bytes > CALL_DOCUMENT_BYTES {
            self.seal();
        }
        self.events.push(event);
        self.places.push(place);
        self.document_bytes += bytes;
    }

    fn push_block(&mut self, block: &Arc<EventBuffer>, first: u64) {
        self.seal();
        self.done.push(Chunk::of_block(Arc::clone(block), first));
    }

    fn seal(&mut self) {
        if !self.places.is_empty() {
            let (events, places) = (std::mem::take(&mut self.events), std::mem::take(&mut self.places));
            self.done.push(Chunk::of_events(events, places, self.lane));
        }
        self.document_bytes = 0;
    }

    fn finish(mut self) -> Vec<Chunk> {
        self.seal();
        self.done
    }
}

//! The way in for events that the host fetches itself: no request, no token, and the same limits, profile, redaction and
//! counters as any other source.
//!
//! A source that fetches can wait, so nothing is turned away here: what cannot be taken now is asked for again later.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{Intake, Shared, now_ns};
use crate::answer::RequestError;
use crate::batch::Batch;
use crate::commit::Portion;
use crate::event_log::{AppendError, Appended, Idempotency};
use crate::items::{Format, Items};
use crate::reason::Reason;
use crate::source::ActiveSource;

/// How long until the store or the memory is asked again. Room may come at any moment, and nobody waits for an answer.
const LATER: Duration = Duration::from_secs(2);

/// The way in for one source. Clones are the same way.
#[derive(Clone)]
pub struct Feed {
    shared: Arc<Shared>,
    source: Arc<ActiveSource>,
}

/// Raw events that are set apart already. Cloning copies no text.
#[derive(Debug, Clone, Default)]
pub struct RawEvents {
    text: Bytes,
    places: Arc<[Range<usize>]>,
}

/// Where the raw events of a text are: one value, the elements of an array, or lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cut {
    pub places: Vec<Range<usize>>,
    /// Why what follows the last of them cannot be told apart.
    pub broken: Option<String>,
}

/// What raw events are known by: whoever takes them a second time learns what was noted the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Never used for other events of this source.
    pub key: String,
    pub note: String,
}

/// What became of raw events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    Stored {
        accepted: usize,
        refused: usize,
        /// Place and reason of the first of those refused.
        reasons: Vec<(usize, String)>,
    },
    /// They were stored before, with this note.
    Repeated { note: String },
}

/// Why raw events were not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    #[error("{reason}")]
    Later { reason: String, wait: Duration },
    #[error("the host stops")]
    Stopping,
}

impl Intake {
    /// None when there is no source of this name.
    pub fn feed(&self, source: &str) -> Option<Feed> {
        let source = self.shared.sources.load().named(source)?;
        Some(Feed { shared: Arc::clone(&self.shared), source })
    }
}

impl RawEvents {
    /// The places must be in the text; one that is not is an empty event, which is refused.
    pub fn new(text: impl Into<Bytes>, places: Vec<Range<usize>>) -> RawEvents {
        RawEvents { text: text.into(), places: places.into() }
    }

    /// Events that are held one by one.
    pub fn of(events: impl IntoIterator<Item = impl AsRef<[u8]>>) -> RawEvents {
        let (mut text, mut places) = (Vec::new(), Vec::new());
        for event in events {
            let start = text.len();
            text.extend_from_slice(event.as_ref());
            places.push(start..text.len());
        }
        RawEvents::new(text, places)
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().map(|place| self.text.get(place.clone()).unwrap_or_default())
    }
}

impl Cut {
    pub fn of(text: &[u8]) -> Cut {
        let mut cut = Cut::default();
        for item in Items::new(text, Format::of_body(text)) {
            match item {
                Ok(item) => {
                    let start = item.as_ptr() as usize - text.as_ptr() as usize;
                    cut.places.push(start..start + item.len());
                }
                Err(broken) => cut.broken = Some(broken.to_string()),
            }
        }
        cut
    }
}

impl Feed {
    /// The note of the events that were stored with this key, if any were.
    pub async fn remembered(&self, key: &str) -> Result<Option<String>, FeedError> {
        let found = self.shared.commit.log.repeated(&self.source.source.name, key, &digest(key)).await;
        found.map_err(|error| later(&error.into()))
    }

    /// Done when the events are on disk, together with their mark.
    pub async fn take(&self, events: &RawEvents, mark: &Mark) -> Result<Taken, FeedError> {
        let Feed { shared, source } = self;
        let memory = source.memory.for_decoding(events.text.len()).await.map_err(|error| later(&error))?;
        let (raw, decoding) = (events.clone(), Arc::clone(source));
        let decode = move || Ok((Batch::of_each(raw.iter(), &decoding.source.door(now_ns())), memory));
        let (batch, memory) = shared.on_a_decoder(decode).await.map_err(|error| later(&error))?;
        let accepted = batch.events.len();
        let idempotency = Some(Idempotency {
            source: source.source.name.clone(),
            key: mark.key.clone(),
            digest: digest(&mark.key),
            answer: mark.note.clone(),
        });
        let portion = Portion { batch, idempotency, memory, is_fetched: true };
        match shared.commit.run(portion, source).await.map_err(|error| later(&error))? {
            (Appended::Stored, batch) => {
                source.counters.bytes.add(events.text.len());
                let refused = batch.refused_count();
                let reasons = batch.refused.into_iter().map(|refused| (refused.index, refused.reason));
                Ok(Taken::Stored { accepted, refused, reasons: reasons.collect() })
            }
            (Appended::Repeated { answer }, _) => Ok(Taken::Repeated { note: answer }),
        }
    }

    /// Counts what could not even be handed over, such as a line without an end.
    pub fn count_refused(&self, reason: &str) {
        self.source.counters.refusals.add_one(Reason::Unreadable, reason);
    }
}

/// The key says all: these events are read only once by whoever marks them.
fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

fn later(error: &RequestError) -> FeedError {
    match error {
        RequestError::Stopping | RequestError::Append(AppendError::Closed) => FeedError::Stopping,
        RequestError::RateLimited { wait, .. } => FeedError::Later { reason: error.to_string(), wait: *wait },
        RequestError::Append(error) => FeedError::Later { reason: error.to_string(), wait: LATER },
        error => FeedError::Later { reason: error.to_string(), wait: LATER },
    }
}

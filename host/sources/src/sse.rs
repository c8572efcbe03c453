//! A stream of server-sent events, followed for as long as the host runs.
//!
//! - The id of the last event goes back to the server as `Last-Event-ID` after every interruption. It is kept by the
//!   store in the same commit as the events up to it, so that the server goes on exactly behind what is stored.
//! - What is here already goes into one commit; nothing is waited for. While the store takes nothing, nothing is read,
//!   and the server feels it.
//! - What is no event is counted and passed over; the stream goes on.
//!
//! What this cannot do: a server that gives its events no ids, or keeps none, sends no event again that it sent while
//! nobody was connected.

mod parser;
mod portion;

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use siemaphore_delivery::{Answer, Fetch, FetchConfig, Opened, SendError, Stream};
use siemaphore_intake::RawEvents;
use tokio::time::Instant;

use crate::checkpoint::CheckpointFile;
use crate::progress::{Means, Outcome, Progress, State, Stopped};
use crate::refusals::Refusals;
use crate::remote::{self, Remedy, Trouble, media_type, shown};
use crate::retry;
use crate::sse::parser::{Data, Parsed, Parser};
use crate::sse::portion::{DATA_BYTES, Portion};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const EVENT_STREAM: &str = "text/event-stream";

/// Which stream is followed.
#[derive(Debug, Clone)]
pub struct SseConfig {
    pub fetch: FetchConfig,
    /// Only events of these types; all when there is none. An event without a type is a `message`.
    pub event_types: Vec<String>,
    /// A stream that says nothing for so long, not even a comment, is opened anew.
    pub idle_timeout: Duration,
}

/// How far the stream was stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    #[serde(default)]
    last_event_id: Option<String>,
}

impl State for Position {
    type Change = Position;

    fn apply(&mut self, change: Position) {
        *self = change;
    }
}

pub(crate) async fn run(
    config: SseConfig,
    means: Means,
    checkpoint: CheckpointFile,
) -> Result<Infallible, Stopped> {
    means.status.connected(false);
    let progress = Progress::resume(means.clone(), checkpoint).await?;
    let fetch = remote::connect(&config.fetch, &means).await?;
    let refusals = Refusals::new(&means.source, means.feed.clone());
    let host = config.fetch.url.host_str().unwrap_or_default().to_owned();
    let mut source = Source { config, means, host, fetch, progress, refusals, retry: None, failures: 0 };
    loop {
        let ended = source.follow().await;
        source.means.status.connected(false);
        let wait = source.judge(ended?);
        match wait {
            Some(wait) => source.means.pause(wait).await?,
            None => {
                source.means.stop.cancelled().await;
                return Err(Stopped);
            }
        }
    }
}

struct Source {
    config: SseConfig,
    means: Means,
    host: String,
    fetch: Fetch,
    progress: Progress<Position>,
    refusals: Refusals,
    /// As the server asked for it.
    retry: Option<Duration>,
    /// In a row.
    failures: u32,
}

/// How a connection ended.
enum Ended {
    /// It brought something, and will bring more another time: connections of streams end.
    Broken { reason: String },
    /// There was no stream.
    Refused(Trouble),
}

impl Source {
    /// How long to wait before the next connection; None when there shall be none.
    fn judge(&mut self, ended: Ended) -> Option<Duration> {
        let trouble = match ended {
            Ended::Broken { reason } => {
                tracing::debug!(reason, "the stream has ended and is opened again");
                return Some(retry::wait(self.retry, self.failures, fastrand::f64()));
            }
            Ended::Refused(trouble) => trouble,
        };
        self.means.status.problem(&trouble.problem, &trouble.hint);
        self.failures = self.failures.saturating_add(1);
        match trouble.remedy {
            Remedy::Time { asked } => {
                Some(retry::wait(asked.max(self.retry), self.failures, fastrand::f64()))
            }
            Remedy::Operator => Some(retry::HELD),
            Remedy::Nothing => None,
        }
    }

    /// One connection, from its request to its end.
    async fn follow(&mut self) -> Result<Ended, Stopped> {
        self.means.status.asked();
        let opening = self.fetch.open(self.headers(), self.config.idle_timeout);
        let opened = tokio::select! {
            biased;
            () = self.means.stop.cancelled() => return Err(Stopped),
            opened = opening => opened,
        };
        let Opened { head, retry_after, stream } = match opened {
            Ok(opened) => opened,
            Err(error) => return Ok(Ended::Refused(error.into())),
        };
        if let Err(trouble) = judged(&self.host, &head, retry_after) {
            return Ok(Ended::Refused(trouble));
        }
        self.means.status.connected(true);
        self.means.status.well();
        let since = Instant::now();
        self.failures = self.failures.saturating_add(1);
        let ended = self.read(stream, &head).await;
        if since.elapsed() >= retry::LONGEST {
            self.failures = 0;
        }
        ended.map(|reason| Ended::Broken { reason })
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(EVENT_STREAM));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let id = self.progress.state().last_event_id.as_deref().filter(|id| !id.is_empty());
        if let Some(id) = id.and_then(|id| HeaderValue::from_bytes(id.as_bytes()).ok()) {
            headers.insert(LAST_EVENT_ID, id);
        }
        headers
    }

    /// Reads until the stream ends; why it did.
    async fn read(&mut self, mut stream: Stream, head: &Answer) -> Result<String, Stopped> {
        let id = self.progress.state().last_event_id.clone();
        let mut parser = Parser::new(DATA_BYTES, id);
        let mut portion = Portion::default();
        loop {
            let mut next = tokio::select! {
                biased;
                () = self.means.stop.cancelled() => {
                    self.keep_position(&mut portion).await;
                    return Err(Stopped);
                }
                next = stream.next() => Some(next),
            };
            let ended = loop {
                match piece(next) {
                    Piece::Bytes(bytes) => self.take(&bytes, head, &mut parser, &mut portion).await?,
                    Piece::Nothing => break None,
                    Piece::End(reason) => break Some(reason),
                }
                // A server that never pauses does not keep the host from stopping.
                next = if self.means.stop.is_cancelled() { None } else { stream.ready() };
            };
            self.store(&mut portion).await?;
            self.retry = parser.retry().or(self.retry);
            if let Some(reason) = ended {
                self.keep_position(&mut portion).await;
                return Ok(reason);
            }
        }
    }

    /// Adds what ends in these bytes to the portion, which is stored whenever it is full.
    async fn take(
        &mut self,
        bytes: &Bytes,
        head: &Answer,
        parser: &mut Parser,
        portion: &mut Portion,
    ) -> Result<(), Stopped> {
        let mut parsed = Vec::new();
        parser.push(bytes, &mut parsed);
        for Parsed { event_type, data, id } in parsed {
            self.failures = 0;
            let (data, id) = without_secrets(head, data, id);
            if data != Data::None && !self.is_wanted(&event_type) {
                self.means.status.skipped(1);
                portion.pass(id);
            } else if let Err(reason) = portion.add(data, id) {
                self.refusals.count_and_tell(portion.last_place(), &reason);
            }
            if portion.is_full() {
                self.store(portion).await?;
            }
        }
        Ok(())
    }

    fn is_wanted(&self, event_type: &[u8]) -> bool {
        let wanted = &self.config.event_types;
        wanted.is_empty() || wanted.iter().any(|one| one.as_bytes() == event_type)
    }

    /// Stores what the portion holds, and how far the stream was read with it.
    async fn store(&mut self, portion: &mut Portion) -> Result<(), Stopped> {
        if portion.is_empty() {
            if portion.is_full() {
                self.keep_position(portion).await;
            }
            return Ok(());
        }
        let Portion { text, places, begins, id, .. } = std::mem::take(portion);
        let position = Position { last_event_id: id.clone() };
        let events = RawEvents::new(text, places);
        if let Outcome::Stored { refused, reasons } = self.progress.take(&events, position).await? {
            let reasons = reasons.into_iter().map(|(index, reason)| (begins.place(index), reason));
            self.refusals.tell(refused, reasons);
        }
        portion.id = id;
        Ok(())
    }

    /// Remembers an id that no stored event came with. Without it the server would only send again what is not wanted.
    async fn keep_position(&mut self, portion: &mut Portion) {
        portion.passed = 0;
        let position = Position { last_event_id: portion.id.clone() };
        if position.last_event_id.is_some() && &position != self.progress.state() {
            self.progress.note(position).await;
        }
    }
}

/// A server that repeats what it was sent must not have it stored, logged or sent back as an id.
fn without_secrets(head: &Answer, data: Data, id: Option<String>) -> (Data, Option<String>) {
    let data = match data {
        Data::Whole(data) => match head.cleaned(&data) {
            Cow::Owned(cleaned) => Data::Whole(cleaned),
            Cow::Borrowed(_) => Data::Whole(data),
        },
        other => other,
    };
    (data, id.filter(|id| head.is_clean(id.as_bytes())))
}

/// Whether an answer is a stream.
fn judged(host: &str, head: &Answer, retry_after: Option<Duration>) -> Result<(), Trouble> {
    let media_type = media_type(head);
    match head.status {
        200 if media_type == EVENT_STREAM => {}
        200 => {
            let found =
                if media_type.is_empty() { "no type".to_owned() } else { shown(media_type.as_bytes()) };
            return Err(Trouble::held(
                format!("{host} answered with {found} in place of {EVENT_STREAM}"),
                "`url` may lead to a login page or a proxy; compare it with the producer's documentation",
            ));
        }
        204 => {
            return Err(Trouble {
                problem: format!("{host} answered 204: it says that no more events will come"),
                hint: "if that is wrong, restart the host to ask again".to_owned(),
                remedy: Remedy::Nothing,
            });
        }
        _ => return Err(Trouble::of_status(host, head, retry_after)),
    }
    match head.header(CONTENT_ENCODING.as_str()) {
        None | Some("identity") => Ok(()),
        Some(encoding) => Err(Trouble::held(
            format!("{host} compressed the stream ({})", shown(encoding.as_bytes())),
            "switch compression off for this path at the server or the proxy before it; it was not asked for",
        )),
    }
}

enum Piece {
    Bytes(Bytes),
    Nothing,
    End(String),
}

fn piece(read: Option<Result<Option<Bytes>, SendError>>) -> Piece {
    match read {
        Some(Ok(Some(bytes))) => Piece::Bytes(bytes),
        Some(Ok(None)) => Piece::End("the server has ended it".to_owned()),
        Some(Err(error)) => Piece::End(error.to_string()),
        None => Piece::Nothing,
    }
}

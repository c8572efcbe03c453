//! An export that is asked for at intervals.
//!
//! - How far it was read is a *cursor*: a value that the next request sends back, taken from the events or from the
//!   answer. The store keeps it in the same commit as the events that it follows, and only once nothing before it can
//!   be missing.
//! - An answer may repeat events, because cursors are seldom exact: what was taken lately is known and passed over. So a
//!   run that was interrupted may simply begin anew.
//! - Runs that were missed are one run. While the store takes nothing, nothing is asked for.
//!
//! What this cannot do: find events that the export does not show behind its own cursor; [`CursorOf::Item`] has an
//! overlap for events that come late.

mod cursor;
mod page;
mod pointer;
mod state;

use std::collections::HashSet;
use std::convert::Infallible;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{ACCEPT, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use siemaphore_delivery::{Fetch, FetchConfig, Fetched};
use siemaphore_intake::RawEvents;
use url::Url;

use crate::checkpoint::CheckpointFile;
use crate::progress::{Means, Outcome, Progress, Stopped};
use crate::pull::page::Page;
use crate::pull::state::{Change, Ended, Exported, MOST_SEEN, Tags, digest};
use crate::refusals::Refusals;
use crate::remote::{self, Remedy, Trouble};
use crate::retry;

/// Of one run. A server that always has a next page would otherwise be asked without end.
const MOST_PAGES: usize = 10_000;
/// How often a run goes on at the page that failed before it begins anew: what names a page may have expired.
const MOST_RESUMES: u32 = 5;

/// So much that the store's commits are few, so little that memory is not felt.
const PORTION_BYTES: usize = 1024 * 1024;
const PORTION_EVENTS: usize = 2000;

const AHEAD: &str = "an event has a time more than a day ahead; the cursor does not follow it";
const AHEAD_HINT: &str =
    "correct the clock of who writes such events; with the cursor there, all others would be missed";

/// Which export is asked for.
#[derive(Debug, Clone)]
pub struct PullConfig {
    /// The most bytes of an answer are those of its client.
    pub fetch: FetchConfig,
    /// From the beginning of one run to that of the next.
    pub every: Duration,
    /// A JSON Pointer to the events in the answer; empty when the answer is the events.
    pub items: String,
    pub cursor: Option<Cursor>,
    pub pages: Option<Next>,
    /// Only with a cursor: its first value.
    pub from: Option<Begin>,
}

/// What the next request sends back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Of the query.
    pub parameter: String,
    pub of: CursorOf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CursorOf {
    /// The largest value at this place of all events. A time is sent so much earlier than it was.
    Item { pointer: String, overlap: Duration },
    /// The value at this place of the answer, which leads to the next page, too.
    Answer { pointer: String },
}

/// Where an answer names its next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The header `Link`, with `rel="next"`.
    Link,
    Url {
        pointer: String,
    },
    /// A value that is sent back.
    Token {
        pointer: String,
        parameter: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// At the moment of the first start.
    Now,
    At(String),
}

pub(crate) async fn run(
    config: PullConfig,
    means: Means,
    checkpoint: CheckpointFile,
) -> Result<Infallible, Stopped> {
    let progress = Progress::resume(means.clone(), checkpoint).await?;
    let fetch = remote::connect(&config.fetch, &means).await?;
    let refusals = Refusals::new(&means.source, means.feed.clone());
    let host = config.fetch.url.host_str().unwrap_or_default().to_owned();
    let mut source = Source { config, means, host, fetch, progress, refusals };
    source.begin().await;
    let mut failures = 0;
    let mut paused = None;
    loop {
        if paused.is_none() {
            source.means.pause(source.until_due()).await?;
        }
        let run = paused.take().unwrap_or_else(|| source.new_run());
        let wait = match source.go_through(run).await? {
            None => {
                failures = 0;
                continue;
            }
            Some((trouble, run)) => {
                failures += 1;
                source.means.status.problem(&trouble.problem, &trouble.hint);
                let is_passing = matches!(trouble.remedy, Remedy::Time { .. });
                let resumes = is_passing && failures <= MOST_RESUMES;
                paused = Some(if resumes { run } else { source.new_run() });
                match trouble.remedy {
                    Remedy::Time { asked } => retry::wait(asked, failures, fastrand::f64()),
                    Remedy::Operator | Remedy::Nothing => retry::HELD,
                }
            }
        };
        source.means.pause(wait).await?;
    }
}

struct Source {
    config: PullConfig,
    means: Means,
    host: String,
    fetch: Fetch,
    progress: Progress<Exported>,
    refusals: Refusals,
}

/// One way through the pages of an export.
struct Run {
    asked_s: u64,
    url: Url,
    page: usize,
    /// The largest of the events so far. It counts when the last page was read: the first may have the newest.
    cursor: Option<String>,
    /// Events that were there before, to be remembered for longer.
    repeated: Vec<String>,
    /// Events of this run, new and repeated.
    events: usize,
    tags: Option<Tags>,
}

impl Source {
    /// The first value of the cursor is kept before anything is asked: a first run may fail for hours.
    async fn begin(&mut self) {
        let first = match &self.config.from {
            Some(Begin::Now) => Some(Timestamp::now().to_string()),
            Some(Begin::At(value)) => Some(value.clone()),
            None => None,
        };
        if first.is_some() && self.progress.state().cursor.is_none() {
            self.progress.note(Change { cursor: first, ..Change::default() }).await;
        }
    }

    /// Nothing when a run was missed, or when the clock was set back.
    fn until_due(&self) -> Duration {
        let Some(asked_s) = self.progress.state().asked_s else { return Duration::ZERO };
        let since = now_s().checked_sub(asked_s).map_or(self.config.every, Duration::from_secs);
        self.config.every.saturating_sub(since)
    }

    fn new_run(&self) -> Run {
        let own = &self.config.fetch.url;
        let url = match (&self.config.cursor, &self.progress.state().cursor) {
            (Some(cursor), Some(value)) => match &cursor.of {
                CursorOf::Item { overlap, .. } => cursor.applied(own, &cursor::earlier(value, *overlap)),
                CursorOf::Answer { .. } => cursor.applied(own, value),
            },
            _ => own.clone(),
        };
        let asked_s = now_s();
        Run { asked_s, url, page: 0, cursor: None, repeated: Vec::new(), events: 0, tags: None }
    }

    /// Asks for one page after the other. With the trouble comes the run, which can go on at the page that failed.
    async fn go_through(&mut self, mut run: Run) -> Result<Option<(Trouble, Run)>, Stopped> {
        loop {
            let asked = run.url.clone();
            match self.one_page(&mut run).await? {
                Err(trouble) => return Ok(Some((trouble, run))),
                Ok(None) => break,
                Ok(Some(next)) => {
                    run.url = next;
                    run.page += 1;
                }
            }
            if run.url == asked || run.page >= MOST_PAGES {
                let trouble = Trouble::held(
                    format!("the pages of {} have no end: page {} leads on", self.host, run.page),
                    "compare [source.pages] and [source.cursor] with the producer's documentation",
                );
                return Ok(Some((trouble, run)));
            }
        }
        self.end(run).await;
        Ok(None)
    }

    /// The next page, when there is one.
    async fn one_page(&mut self, run: &mut Run) -> Result<Result<Option<Url>, Trouble>, Stopped> {
        self.means.status.asked();
        let asking = self.fetch.get(&run.url, self.headers(run));
        let answered = tokio::select! {
            biased;
            () = self.means.stop.cancelled() => return Err(Stopped),
            answered = asking => answered,
        };
        let fetched = match answered {
            Ok(fetched) => fetched,
            Err(error) => return Ok(Err(error.into())),
        };
        match fetched.head.status {
            200 => {}
            204 | 304 => return Ok(Ok(None)),
            _ => return Ok(Err(Trouble::of_status(&self.host, &fetched.head, fetched.retry_after))),
        }
        run.tags = Some(tags(&fetched));
        let (config, host, url) = (self.config.clone(), self.host.clone(), run.url.clone());
        let reading = tokio::task::spawn_blocking(move || page::read(&config, &host, &url, fetched));
        // Only a host that ends drops what is being read.
        let Ok(read) = reading.await else { return Err(Stopped) };
        match read {
            Ok(page) => self.take(run, page).await,
            Err(trouble) => Ok(Err(trouble)),
        }
    }

    /// Stores what is new of a page, and says where to go on.
    async fn take(&mut self, run: &mut Run, page: Page) -> Result<Result<Option<Url>, Trouble>, Stopped> {
        let before = self.progress.state().cursor.clone();
        self.means.status.partial(page.is_ahead.then_some((AHEAD, AHEAD_HINT)));
        let is_empty = page.places.is_empty();
        run.events += page.places.len();
        if self.config.cursor.is_none() && run.events > MOST_SEEN {
            return Ok(Err(Trouble::held(
                format!("{} has more than {MOST_SEEN} events, and all of them each time", self.host),
                "configure [source.cursor], so that it is asked for later ones only",
            )));
        }
        // With pages of their own, the cursor counts at the end of the run.
        let after = match &self.config.cursor {
            Some(Cursor { of: CursorOf::Answer { .. }, .. }) => page.cursor.clone(),
            Some(_) if self.config.pages.is_none() => cursor::later(before.clone(), page.cursor.clone()),
            Some(_) => {
                run.cursor = cursor::later(run.cursor.take(), page.cursor.clone());
                None
            }
            None => None,
        };
        let news = self.store(run, &page, after.clone()).await?;
        let has_advanced = after.is_some() && after != before;
        let next = match (&self.config.cursor, after) {
            (Some(cursor), Some(after)) if self.config.pages.is_none() => {
                let goes_on = match cursor.of {
                    CursorOf::Answer { .. } => !is_empty,
                    CursorOf::Item { .. } => news > 0,
                };
                (has_advanced && goes_on).then(|| cursor.applied(&self.config.fetch.url, &after))
            }
            _ => page.next,
        };
        Ok(Ok(next))
    }

    /// How many events were new. The cursor is kept with the last of them.
    async fn store(&mut self, run: &mut Run, page: &Page, after: Option<String>) -> Result<usize, Stopped> {
        let mut new = Vec::new();
        let mut of_page = HashSet::new();
        for (index, place) in page.places.iter().enumerate() {
            let digest = digest(page.text.get(place.clone()).unwrap_or_default());
            if self.progress.state().has_seen(&digest) {
                if run.repeated.len() < MOST_SEEN {
                    run.repeated.push(digest);
                }
            } else if of_page.insert(digest.clone()) {
                new.push(New { index, place: place.clone(), digest });
            }
        }
        self.means.status.skipped(page.places.len() - new.len());
        let mut rest = new.as_slice();
        while !rest.is_empty() {
            // What was not stored is asked for again.
            if self.means.stop.is_cancelled() {
                return Err(Stopped);
            }
            let (portion, others) = rest.split_at(portion_length(rest));
            rest = others;
            let cursor = if rest.is_empty() { after.clone() } else { None };
            self.store_portion(run.page, &page.text, portion, cursor).await?;
        }
        if new.is_empty() && after.is_some() && after != self.progress.state().cursor {
            self.progress.note(Change { cursor: after, ..Change::default() }).await;
        }
        Ok(new.len())
    }

    async fn store_portion(
        &mut self,
        page: usize,
        text: &Bytes,
        portion: &[New],
        cursor: Option<String>,
    ) -> Result<(), Stopped> {
        let start = portion.first().map_or(0, |one| one.place.start);
        let end = portion.last().map_or(start, |one| one.place.end);
        let places = portion.iter().map(|one| one.place.start - start..one.place.end - start).collect();
        let events = RawEvents::new(text.slice(start..end), places);
        let seen = portion.iter().map(|one| one.digest.clone()).collect();
        let change = Change { seen, cursor, ended: None };
        if let Outcome::Stored { refused, reasons } = self.progress.take(&events, change).await? {
            let place = |index: usize| {
                let index = portion.get(index).map_or(0, |one| one.index);
                format!("event {} of page {}", index + 1, page + 1)
            };
            self.refusals.tell(refused, reasons.into_iter().map(|(index, reason)| (place(index), reason)));
        }
        Ok(())
    }

    async fn end(&mut self, run: Run) {
        let cursor = cursor::later(self.progress.state().cursor.clone(), run.cursor);
        let ended = Some(Ended { asked_s: run.asked_s, tags: run.tags });
        self.progress.note(Change { seen: run.repeated, cursor, ended }).await;
        self.means.status.well();
    }

    fn headers(&self, run: &Run) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, application/x-ndjson, */*;q=0.1"));
        // One answer that is all: only then does nothing new in it mean that there is nothing new.
        if self.config.cursor.is_none() && self.config.pages.is_none() && run.page == 0 {
            let Tags { etag, last_modified } = &self.progress.state().tags;
            for (name, value) in [(IF_NONE_MATCH, etag), (IF_MODIFIED_SINCE, last_modified)] {
                let value = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok());
                headers.extend(value.map(|value| (name, value)));
            }
        }
        headers
    }
}

/// An event that was not taken before.
struct New {
    index: usize,
    place: Range<usize>,
    digest: String,
}

/// How many of these go into one commit; at least one.
fn portion_length(new: &[New]) -> usize {
    let start = new.first().map_or(0, |one| one.place.start);
    let fits = |one: &&New| one.place.end - start <= PORTION_BYTES;
    new.iter().take(PORTION_EVENTS).take_while(fits).count().max(1)
}

fn tags(fetched: &Fetched) -> Tags {
    let header = |name: &str| fetched.head.header(name).map(str::to_owned);
    Tags { etag: header("etag"), last_modified: header("last-modified") }
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

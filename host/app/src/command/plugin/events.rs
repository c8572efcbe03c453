//! Many events for formatters to be tried on: read from a file or an export as intake would, in batches.
//!
//! Memory holds one batch, however long the file is.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail};
use http::Method;
use siemaphore_model::normalise::{Context, Normaliser, Scratch};
use siemaphore_model::redaction::Redaction;
use siemaphore_model::{EventBuffer, Profile};
use siemaphore_sandbox::limits::MAX_DOCUMENT_BYTES;

use crate::cli::{Configured, Reading};
use crate::command::Failure;
use crate::command::exported::Recorded;
use crate::command::reading;
use crate::command::send::opened;
use crate::control::Client;
use crate::events_file::for_each_event;

/// As many as a pipeline formats at once.
pub(crate) const BATCH_EVENTS: usize = 500;
/// Of a batch. The last event may go over it, and is no larger than the rest of what a call takes.
const BATCH_BYTES: usize = MAX_DOCUMENT_BYTES - siemaphore_model::normalise::EVENT_BYTES;
/// Refusals that are told; the rest is counted.
const REFUSALS_TOLD: usize = 10;

/// Turns lines into events: those of an export with the profile that understood them once.
pub(crate) struct Normalisers {
    own: Vec<Profile>,
    usual: Normaliser,
    by_producer: BTreeMap<String, Normaliser>,
    received_ns: u64,
    scratch: Scratch,
}

impl Normalisers {
    pub(crate) fn new(reading: &Reading) -> Result<Normalisers, Failure> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Normalisers {
            own: reading::own_profiles(reading)?,
            usual: reading::normaliser(reading)?,
            by_producer: BTreeMap::new(),
            received_ns: u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX),
            scratch: Scratch::default(),
        })
    }

    /// Adds the event of a line, or says why there is none.
    fn push(&mut self, line: &str, into: &mut EventBuffer) -> Result<(), String> {
        let Recorded { event, envelope } = Recorded::of(line);
        let mut context =
            Context { organization: "default", source: "offline", received_ns: self.received_ns };
        let mut normaliser = &self.usual;
        if let Some(envelope) = &envelope {
            context = Context {
                organization: &envelope.organization,
                source: &envelope.source,
                received_ns: envelope.received_ms.saturating_mul(1_000_000),
            };
            normaliser =
                of_producer(&mut self.by_producer, &self.own, &envelope.producer).unwrap_or(normaliser);
        }
        let normalised = normaliser.normalise(event, &context, &mut self.scratch, into);
        normalised.map(|_| ()).map_err(|refusal| refusal.to_string())
    }
}

/// None where the profile is gone: then the event is read as any other. There are as many as profiles.
fn of_producer<'a>(
    made: &'a mut BTreeMap<String, Normaliser>,
    own: &[Profile],
    producer: &str,
) -> Option<&'a Normaliser> {
    match made.entry(producer.to_owned()) {
        Entry::Occupied(made) => Some(made.into_mut()),
        Entry::Vacant(place) => Normaliser::with_profiles(own, producer, &Redaction::default())
            .ok()
            .map(|made| &*place.insert(made)),
    }
}

/// Where the events come from.
pub(crate) enum Source {
    File(PathBuf),
    /// Lines that this program brings along.
    Samples(String),
    /// What the store had, written out.
    Export(File),
}

/// The newest events of the store of a configuration, asked of its host or, when none runs, of the store itself.
pub(crate) async fn newest(reading: &Reading, count: u32) -> Result<Source, Failure> {
    let config = reading.config.clone().unwrap_or_else(|| PathBuf::from(reading::USUAL_CONFIGURATION));
    let client = Client::host_or_store(&Configured { config }).await?;
    let mut answer = client.read(Method::GET, &format!("/v1/events/export?last={count}"), &()).await?;
    // A file that has no name and that nobody else can read: events are nobody else's business.
    let mut file = tempfile::tempfile().context("no room for the events")?;
    let mut empty = true;
    while let Some(piece) = answer.piece().await? {
        file.write_all(&piece).context("no room for the events")?;
        empty &= piece.is_empty();
    }
    if empty {
        return Err(anyhow!("nothing is stored\n  hint: name a file with events: --events FILE").into());
    }
    file.rewind().context("the events cannot be read back")?;
    Ok(Source::Export(file))
}

/// What was read, beside the events themselves.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) events: u64,
    pub(crate) refused: u64,
    /// The first refusals: their place, from 1, and why.
    pub(crate) refusals: Vec<(u64, String)>,
}

/// One batch, and the places of its events in what they were read from.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) events: EventBuffer,
    pub(crate) places: Vec<u64>,
}

/// Hands all events to `each`, a batch at a time, until it fails or has enough.
pub(crate) fn for_each_batch(
    source: Source,
    normalisers: &mut Normalisers,
    each: &mut dyn FnMut(Batch) -> Result<ControlFlow<()>>,
) -> Result<Told> {
    let (name, reader) = open(source)?;
    let mut told = Told::default();
    let mut batch = Batch::default();
    let mut place = 0;
    // What ends the reading early is no trouble of the file: an error keeps its own words, and enough is none.
    let mut ended = None;
    let mut hand_over = |batch: &mut Batch| {
        let full = std::mem::take(batch);
        match each(full) {
            Ok(ControlFlow::Continue(())) => Ok(()),
            Ok(ControlFlow::Break(())) => Err(ended.insert(Ok(()))),
            Err(error) => Err(ended.insert(Err(error))),
        }
        .map_err(|_| io::Error::other("ended"))
    };
    let read = for_each_event(BufReader::new(reader), &mut |line| {
        place += 1;
        match normalisers.push(line, &mut batch.events) {
            Ok(()) => batch.places.push(place),
            Err(reason) => {
                told.refused += 1;
                if told.refusals.len() < REFUSALS_TOLD {
                    told.refusals.push((place, reason));
                }
            }
        }
        let full = batch.places.len() >= BATCH_EVENTS || batch.events.as_bytes().len() >= BATCH_BYTES;
        told.events = place - told.refused;
        if full { hand_over(&mut batch) } else { Ok(()) }
    });
    let read = match read {
        Ok(()) if !batch.places.is_empty() => hand_over(&mut batch),
        read => read,
    };
    match ended {
        Some(ended) => ended?,
        None => read.with_context(|| format!("cannot read events from {name}"))?,
    }
    if told.events == 0 {
        let why = told.refusals.first().map(|(place, why)| format!(": event {place} is refused, {why}"));
        bail!("{name} holds no event that would be taken{}", why.unwrap_or_default());
    }
    Ok(told)
}

fn open(source: Source) -> Result<(String, Box<dyn Read>)> {
    match source {
        Source::Samples(lines) => Ok(("the samples".to_owned(), Box::new(io::Cursor::new(lines)))),
        Source::Export(file) => Ok(("the store".to_owned(), Box::new(file))),
        Source::File(path) if path == Path::new("-") => {
            Ok(("standard input".to_owned(), Box::new(io::stdin().lock())))
        }
        Source::File(path) => {
            let name = path.display().to_string();
            let opened = File::open(&path).with_context(|| format!("cannot read {name}"))?;
            let plain = opened::decompressed(opened).with_context(|| format!("cannot read {name}"))?;
            Ok((name, Box::new(plain)))
        }
    }
}

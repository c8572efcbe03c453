//! Reading a file of events to look at, as intake would.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use siemaphore_model::EventBuffer;
use siemaphore_model::normalise::{Context, Normalised, Normaliser, Scratch};
use siemaphore_model::redaction::Redaction;

use crate::cli::Reading;
use crate::command::Failure;
use crate::config;
use crate::events_file::for_each_event;

/// A file for looking at, not for delivering.
const MAX_EVENTS: usize = siemaphore_sandbox::limits::MAX_EVENTS;

/// Events that would not be taken: their place in the file, from 1, and why.
pub(crate) type Refused = Vec<(usize, String)>;

pub(crate) struct Taken {
    pub(crate) events: EventBuffer,
    pub(crate) refused: Refused,
    /// Events of versions that their profile does not know: their place, and the version.
    pub(crate) unknown_versions: Vec<(usize, String)>,
    /// Values that redaction removed.
    pub(crate) redacted: usize,
}

/// With the profiles of the operator's configuration, where one is named.
pub(crate) fn normaliser(reading: &Reading) -> Result<Normaliser, Failure> {
    let own = match &reading.config {
        None => Vec::new(),
        Some(path) => match config::load(path) {
            Ok(config) => config.profiles,
            Err(problems) => {
                return Err(Failure::Configuration { file: path.display().to_string(), problems });
            }
        },
    };
    Ok(Normaliser::with_profiles(&own, &reading.profile, &Redaction::default())?)
}

pub(crate) fn read(file: &Path, normaliser: &Normaliser) -> Result<Taken> {
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file).with_context(|| format!("cannot read {}", file.display()))?)
    };
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let received_ns = u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX);
    let context = Context { organization: "default", source: "format", received_ns };
    let mut taken =
        Taken { events: EventBuffer::new(), refused: Vec::new(), unknown_versions: Vec::new(), redacted: 0 };
    let (mut scratch, mut place) = (Scratch::default(), 0);
    for_each_event(BufReader::new(source), &mut |raw| {
        place += 1;
        if place > MAX_EVENTS {
            return Err(io::Error::other(format!(
                "more than {MAX_EVENTS} events: take a smaller file to look at"
            )));
        }
        match normaliser.normalise(raw, &context, &mut scratch, &mut taken.events) {
            Ok(Normalised { redacted, unknown_version }) => {
                taken.redacted += redacted;
                taken.unknown_versions.extend(unknown_version.map(|unknown| (place, unknown.to_string())));
            }
            Err(refusal) => taken.refused.push((place, refusal.to_string())),
        }
        Ok(())
    })
    .with_context(|| format!("cannot read events from {}", file.display()))?;
    if place == 0 {
        bail!("{} holds no event", file.display());
    }
    Ok(taken)
}

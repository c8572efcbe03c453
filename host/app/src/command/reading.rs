//! Reading a file of events to look at, as intake would.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail};
use siemaphore_model::normalise::{Context, Normalised, Normaliser, Scratch};
use siemaphore_model::redaction::Redaction;
use siemaphore_model::{EventBuffer, Profile};

use crate::cli::Reading;
use crate::command::Failure;
use crate::config::{self, DestinationConfig, Problem};
use crate::events_file::for_each_event;
use crate::print;

/// A file for looking at, not for delivering.
const MAX_EVENTS: usize = siemaphore_sandbox::limits::MAX_EVENTS;

/// Events that would not be taken: their place in the file, from 1, and why.
pub(crate) type Refused = Vec<(usize, String)>;

#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) events: EventBuffer,
    /// Of each event: its place in the file, from 1. Those that are refused have one too.
    pub(crate) places: Vec<usize>,
    pub(crate) refused: Refused,
    /// Events of versions that their profile does not know: their place, and the version.
    pub(crate) unknown_versions: Vec<(usize, String)>,
    /// Values that redaction removed.
    pub(crate) redacted: usize,
}

/// The file that every other command takes when none is named.
pub(crate) const USUAL_CONFIGURATION: &str = "siemaphore.toml";

/// With the profiles of the operator's configuration, where there is one.
pub(crate) fn normaliser(reading: &Reading) -> Result<Normaliser, Failure> {
    let Some(path) = configuration(reading) else {
        let shipped = Normaliser::with_profiles(&[], &reading.profile, &Redaction::default());
        return Ok(shipped.map_err(|error| {
            anyhow!("{error}\n  hint: name the configuration with profiles of your own: --config FILE")
        })?);
    };
    let own = config::own_profiles(&path).map_err(|problems| refused(&path, problems))?;
    Ok(Normaliser::with_profiles(&own, &reading.profile, &Redaction::default())?)
}

/// The profiles of the operator's configuration, where there is one.
pub(crate) fn own_profiles(reading: &Reading) -> Result<Vec<Profile>, Failure> {
    let Some(path) = configuration(reading) else { return Ok(Vec::new()) };
    config::own_profiles(&path).map_err(|problems| refused(&path, problems))
}

/// A destination of the configuration, as `NAME` where that is unambiguous, else as `ORGANIZATION/NAME`.
pub(crate) fn destination(reading: &Reading, name: &str) -> Result<DestinationConfig, Failure> {
    let path = configuration(reading).unwrap_or_else(|| PathBuf::from(USUAL_CONFIGURATION));
    let config = config::load(&path).map_err(|problems| refused(&path, problems))?;
    let is_meant = |one: &DestinationConfig| one.name == name || one.id() == name;
    let (mut meant, others): (Vec<_>, Vec<_>) = config.destinations.into_iter().partition(is_meant);
    match (meant.pop(), meant.is_empty()) {
        (Some(destination), true) => Ok(destination),
        (Some(_), false) => {
            Err(anyhow!("several organisations have a destination `{name}`: write ORGANIZATION/{name}")
                .into())
        }
        (None, _) => {
            let there: Vec<String> = others.iter().map(DestinationConfig::id).collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            Err(anyhow!("{} has no destination `{name}`; there are: {there}", path.display()).into())
        }
    }
}

fn configuration(reading: &Reading) -> Option<PathBuf> {
    let usual = || Some(PathBuf::from(USUAL_CONFIGURATION)).filter(|path| path.exists());
    reading.config.clone().or_else(usual)
}

fn refused(path: &Path, problems: Vec<Problem>) -> Failure {
    Failure::Configuration { file: path.display().to_string(), problems }
}

/// The events of a file, as if they had just come in.
pub(crate) fn read(file: &Path, normaliser: &Normaliser) -> Result<Taken> {
    read_at(file, normaliser, SystemTime::now())
}

/// The events of a file, as if they had come in at that time.
pub(crate) fn read_at(file: &Path, normaliser: &Normaliser, received: SystemTime) -> Result<Taken> {
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file).with_context(|| format!("cannot read {}", file.display()))?)
    };
    let since_1970 = received.duration_since(UNIX_EPOCH).unwrap_or_default();
    let received_ns = u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX);
    let context = Context { organization: "default", source: "format", received_ns };
    let mut taken = Taken::default();
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
                taken.places.push(place);
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

/// `1 value was redacted`
pub(crate) fn redacted(values: usize) -> String {
    let verb = if values == 1 { "was" } else { "were" };
    format!("{} {verb} redacted", print::count(values as u64, "value"))
}

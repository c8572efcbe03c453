//! Events in, framed requests out, on the formatting threads.
//!
//! A formatter that runs into its time limit has had a thread for a second or longer. It gives it back after each such
//! call, so that others have their turn before it is tried on a part of the batch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use siemaphore_delivery::{Group, Grouping};
use siemaphore_model::Event;
use siemaphore_model::formatter::TooOld;
use siemaphore_sandbox::{Figures, FormatError, Sandbox, SandboxClosed};

use crate::batch::{Batch, FormattedChunk, frame};
use crate::chunk::Chunk;
use crate::sending::now_ms;
use crate::suspects::{Cause, Suspect, Trial};
use crate::version::Version;

/// What became of a chunk.
#[derive(Debug, Default)]
pub(crate) struct Formatted {
    /// Who formatted. None when nobody did.
    pub(crate) version: Option<Arc<Version>>,
    /// All that was to be formatted. None when nobody did.
    pub(crate) whole: Option<Chunk>,
    /// Why the formatter broke, the first time, or the first time on an event that stood alone, with the event's key. Its
    /// own doing, whatever else the machine had to do.
    pub(crate) broke: Option<String>,
    pub(crate) broke_alone: bool,
    /// Events that the formatter rejected, or made too large for the SIEM.
    pub(crate) refused: usize,
    pub(crate) batches: Vec<Batch>,
    /// Events that failed alone.
    pub(crate) suspects: Vec<Suspect>,
    /// Events that the SIEM would not take by its own published limits: too large for any request, or too old. Given up
    /// at once, because those limits were granted.
    pub(crate) given_up: Vec<Suspect>,
    /// Not one event of a call became a record.
    pub(crate) formatter_rejected_all: bool,
    /// Not formatted because of the host or because the formatter used up its time too often; to be tried again.
    pub(crate) postponed: Vec<Chunk>,
    pub(crate) trouble: Option<(String, String)>,
    /// What the guest used, over all calls, those that failed too.
    pub(crate) cpu: Duration,
    pub(crate) peak_memory_bytes: u64,
}

impl Formatted {
    fn add(&mut self, figures: &Figures) {
        self.cpu += figures.cpu;
        self.peak_memory_bytes = self.peak_memory_bytes.max(figures.peak_memory_bytes);
    }

    fn blame(&mut self, chunk: &Chunk, error: &FormatError) {
        match chunk.key_of_only() {
            Some(key) if !self.broke_alone => {
                self.broke_alone = true;
                self.broke = Some(format!("{error}, on event {key}"));
            }
            _ if self.broke.is_none() => self.broke = Some(error.to_string()),
            _ => {}
        }
    }
}

/// A batch that runs into the time limit so often is put off, or halving it would take minutes of a processor.
const TIME_LIMIT_FAULTS: u32 = 20;

/// Formats a chunk, halving it as long as the guest breaks on it, until what it breaks on stands alone.
pub(crate) async fn format(
    sandbox: &Sandbox,
    version: &Arc<Version>,
    chunk: Chunk,
    trial: Trial,
) -> Result<Formatted, SandboxClosed> {
    let formatted =
        Formatted { version: Some(Arc::clone(version)), whole: Some(chunk.clone()), ..Formatted::default() };
    let mut formatting = Formatting {
        version: Arc::clone(version),
        trial,
        waiting: vec![chunk],
        time_limit_faults: 0,
        formatted,
    };
    while !formatting.waiting.is_empty() {
        let turn = move || formatting.take_turn();
        formatting = sandbox.run_for(version.active.formatter.plugin(), turn).await?;
    }
    Ok(formatting.formatted)
}

/// A chunk on its way through the formatter.
struct Formatting {
    version: Arc<Version>,
    trial: Trial,
    /// Parts that are still to be formatted, the next one last.
    waiting: Vec<Chunk>,
    time_limit_faults: u32,
    formatted: Formatted,
}

impl Formatting {
    /// Goes on to the end, or to the first call that runs into the time limit. Blocks.
    fn take_turn(mut self) -> Formatting {
        while let Some(chunk) = self.waiting.pop() {
            let Err(error) = self.try_whole(&chunk) else { continue };
            let is_time_limit = error.is_time_limit();
            self.isolate(chunk, &error);
            if is_time_limit {
                break;
            }
        }
        self
    }

    fn try_whole(&mut self, chunk: &Chunk) -> Result<(), FormatError> {
        let events: Vec<Event<'_>> = chunk.iter().collect();
        let Version { active, configuration, .. } = &*self.version;
        let result = active.formatter.format(configuration, &events);
        match &result {
            Ok(result) => self.formatted.add(&result.figures),
            Err(FormatError::Fault(fault)) => self.formatted.add(&fault.figures),
            Err(_) => {}
        }
        let result = result?;
        tracing::debug!(events = events.len(), figures = ?result.figures, "formatted a batch");
        keep(&mut self.formatted, &self.version, chunk, result.records, self.trial);
        Ok(())
    }

    /// The guest broke on these events: tries the halves, sets a single one apart, or leaves it for later.
    fn isolate(&mut self, chunk: Chunk, error: &FormatError) {
        let formatted = &mut self.formatted;
        if matches!(error, FormatError::Host(_)) {
            formatted.trouble = Some((error.to_string(), error.hint().to_owned()));
            formatted.postponed.push(chunk);
            return;
        }
        if !error.is_wall_limit() {
            formatted.blame(&chunk, error);
        }
        self.time_limit_faults += u32::from(error.is_time_limit());
        if self.time_limit_faults >= TIME_LIMIT_FAULTS {
            formatted.trouble = Some((error.to_string(), error.hint().to_owned()));
            formatted.postponed.push(chunk);
            formatted.postponed.append(&mut self.waiting);
            return;
        }
        match chunk.halves() {
            // The earlier half is formatted first: it is popped first.
            Some([left, right]) => self.waiting.extend([right, left]),
            None => formatted.suspects.push(Suspect {
                chunk,
                cause: Cause::Fault,
                reason: error.to_string(),
                hint: error.hint().to_owned(),
                attempts: Vec::new(),
                trial: self.trial,
            }),
        }
    }
}

/// Frames the records of one call and sets the rejected events apart.
fn keep(
    formatted: &mut Formatted,
    version: &Arc<Version>,
    chunk: &Chunk,
    records: siemaphore_model::formatter::Records,
    trial: Trial,
) {
    let suspect = |index: u32, reason: &str, hint: &str| Suspect {
        chunk: chunk.subset(&[index]),
        cause: Cause::Rejected,
        reason: reason.to_owned(),
        hint: hint.to_owned(),
        attempts: Vec::new(),
        trial,
    };
    let rejected: Vec<u32> = records.rejected.iter().map(|rejection| rejection.index).collect();
    formatted.refused += rejected.len();
    formatted.formatter_rejected_all |= rejected.len() == chunk.len();
    formatted.suspects.extend(records.rejected.iter().map(|rejection| {
        suspect(rejection.index, &format!("the formatter rejected the event: {}", rejection.reason), "")
    }));
    let too_old = too_old(version, chunk, &rejected);
    formatted.given_up.extend(too_old.iter().map(|&index| suspect(index, TOO_OLD, TOO_OLD_HINT)));
    let left_out =
        |index: &u32| rejected.binary_search(index).is_ok() || too_old.binary_search(index).is_ok();
    let groups = group(version, chunk, left_out);
    let call = Arc::new(FormattedChunk { version: Arc::clone(version), chunk: chunk.clone(), records });
    for (group, members) in groups {
        let (batches, too_large) = frame(&call, &group, members);
        formatted.batches.extend(batches.into_iter().map(|batch| Batch { trial, ..batch }));
        formatted.refused += too_large.len();
        formatted.given_up.extend(too_large.into_iter().map(|(index, record)| {
            suspect(index, &record.to_string(), "make the event smaller at the producer, or leave fields out")
        }));
    }
}

const TOO_OLD: &str =
    "the event is older than the SIEM takes: it would answer with success and store nothing";
const TOO_OLD_HINT: &str = "load it into the SIEM by another way, such as its archive import";

/// The events that the SIEM would silently drop for their age.
fn too_old(version: &Version, chunk: &Chunk, rejected: &[u32]) -> Vec<u32> {
    let window = version.profile.profile().replay_window.filter(|window| window.effect == TooOld::Dropped);
    let Some(window) = window else { return Vec::new() };
    let oldest_ns = now_ms().saturating_sub(window.max_age_s.saturating_mul(1_000)).saturating_mul(1_000_000);
    let events = (0..).zip(chunk.iter());
    let old = events
        .filter(|(index, event)| event.timestamp_ns() < oldest_ns && rejected.binary_search(index).is_err());
    old.map(|(index, _)| index).collect()
}

/// Events by the placeholders of the request's path and headers, in order within each group.
fn group(version: &Version, chunk: &Chunk, left_out: impl Fn(&u32) -> bool) -> BTreeMap<Group, Vec<u32>> {
    if version.profile.grouping() == Grouping::default() {
        let members = (0..).take(chunk.len()).filter(|index| !left_out(index)).collect();
        return BTreeMap::from([(Group::default(), members)]);
    }
    let mut groups: BTreeMap<Group, Vec<u32>> = BTreeMap::new();
    for (index, event) in (0..).zip(chunk.iter()) {
        if !left_out(&index) {
            groups.entry(Group::of(&version.profile, &event)).or_default().push(index);
        }
    }
    groups
}

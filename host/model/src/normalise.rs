//! From a producer's JSON text to an [`Event`]: validated, its envelope filled in, redacted.
//!
//! One walk over the text does all three. It checks the grammar, remembers where the values of the envelope are, and
//! notes which spans to replace; no tree of values is built. The document is the producer's own text with those spans
//! replaced, so numbers, order and duplicate members survive as they were written.
//!
//! Limits: 256 KiB for one event, 64 levels of nesting, 256 bytes for an id, event type or project in the envelope.

mod document;
mod envelope;
mod keys;
mod names;
mod plan;
mod reader;
mod refusal;
mod text;
mod time;
pub(crate) mod tree;
mod version;
mod walk;

use self::envelope::Envelope;
use self::plan::Plan;
use self::walk::{Found, Patch, Walk};
use crate::profile::{Candidates, Profile, ProfileError};
use crate::redaction::Redaction;
use crate::{Event, EventBuffer, EventKey};

pub use self::refusal::Refusal;
pub use self::version::UnknownVersion;

/// The longest event, before and after redaction.
pub const EVENT_BYTES: usize = 256 * 1024;

/// The deepest nesting of objects and arrays; the event itself is the first level.
pub const NESTING: usize = 64;

/// Turns raw events of one source into events. Cheap to share, not cheap to make.
#[derive(Debug)]
pub struct Normaliser {
    plan: Plan,
    refuse_unknown_versions: bool,
}

/// What the source knows about an event.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub organization: &'a str,
    pub source: &'a str,
    pub received_ns: u64,
}

/// Memory that is used again from event to event.
#[derive(Debug, Default)]
pub struct Scratch {
    found: Vec<Found>,
    patches: Vec<Patch>,
    document: String,
    timestamp: String,
}

/// What is to be told of an event that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Normalised {
    /// How many values redaction took out of it.
    pub redacted: usize,
    pub unknown_version: Option<UnknownVersion>,
}

impl Normaliser {
    /// `profile` is one of [`profile::names`](crate::profile::names).
    pub fn new(profile: &str, redaction: &Redaction) -> Result<Normaliser, ProfileError> {
        Normaliser::with_profiles(&[], profile, redaction)
    }

    /// `profile` may also be the name of one of `own`, and `auto` tries those before the shipped ones.
    pub fn with_profiles(
        own: &[Profile],
        profile: &str,
        redaction: &Redaction,
    ) -> Result<Normaliser, ProfileError> {
        let candidates = Candidates::of(profile, own)?;
        Ok(Normaliser { plan: Plan::new(&candidates, redaction)?, refuse_unknown_versions: false })
    }

    /// Events of a version that their profile does not know are refused from here on, instead of being told of.
    #[must_use]
    pub fn refusing_unknown_versions(self) -> Normaliser {
        Normaliser { refuse_unknown_versions: true, ..self }
    }

    /// Adds the event in `raw` to `into`, or leaves `into` as it is.
    pub fn normalise(
        &self,
        raw: &str,
        context: &Context<'_>,
        scratch: &mut Scratch,
        into: &mut EventBuffer,
    ) -> Result<Normalised, Refusal> {
        if raw.len() > EVENT_BYTES {
            return Err(Refusal::TooLarge { bytes: raw.len(), limit: EVENT_BYTES });
        }
        let Scratch { found, patches, document, timestamp } = scratch;
        let Walk { object, redacted } = walk::walk(raw, &self.plan, found, patches)?;
        let envelope = Envelope::resolve(raw, &self.plan, found, context.received_ns, timestamp)?;
        if self.refuse_unknown_versions
            && let Some(unknown) = envelope.unknown_version
        {
            return Err(Refusal::UnknownVersion(unknown));
        }
        let document = document::build(raw, object, patches, document);
        if document.len() > EVENT_BYTES {
            return Err(Refusal::TooLarge { bytes: document.len(), limit: EVENT_BYTES });
        }
        into.push(&Event {
            key: EventKey::compute(context.organization, context.source, &envelope.id, document),
            id: &envelope.id,
            event_type: &envelope.event_type,
            timestamp,
            timestamp_ns: envelope.timestamp_ns,
            received_ns: context.received_ns,
            severity: envelope.severity,
            source: context.source,
            producer: envelope.producer,
            organization: context.organization,
            project: envelope.project.as_deref(),
            document,
        });
        Ok(Normalised { redacted, unknown_version: envelope.unknown_version })
    }
}

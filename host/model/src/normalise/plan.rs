//! Profiles and redaction rules, compiled for the walk.

use crate::Severity;
use crate::normalise::keys::Keys;
use crate::normalise::tree::{Entry, Node, Purpose};
use crate::profile::{Candidates, Profile, ProfileError};
use crate::redaction::{Action, Place, Redaction};

/// Invariant: every slot number in it is below `pointers.len()`.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tree: Node,
    pub(super) keys: Keys,
    /// The pointer of each slot.
    pub(super) pointers: Vec<String>,
    /// In the order of trial.
    pub(super) recognisable: Vec<ProfilePlan>,
    pub(super) fallback: ProfilePlan,
}

/// A [`Profile`] with slots in place of pointers.
#[derive(Debug)]
pub(super) struct ProfilePlan {
    pub(super) name: String,
    pub(super) default_type: String,
    pub(super) detect: Vec<Vec<(usize, Option<String>)>>,
    pub(super) id: Vec<usize>,
    pub(super) event_type: Vec<usize>,
    pub(super) time: Vec<usize>,
    pub(super) project: Vec<usize>,
    pub(super) severity_fields: Vec<SeverityFieldPlan>,
    pub(super) severity_tables: Vec<SeverityTablePlan>,
    /// The slot of the version, and the known major ones.
    pub(super) version: Option<(usize, Vec<u64>)>,
}

#[derive(Debug)]
pub(super) struct SeverityFieldPlan {
    pub(super) slot: usize,
    pub(super) words: Vec<(String, Severity)>,
    pub(super) numbers: Vec<(f64, Severity)>,
}

#[derive(Debug)]
pub(super) struct SeverityTablePlan {
    /// None: the event type.
    pub(super) slot: Option<usize>,
    pub(super) rules: Vec<(String, Severity)>,
}

impl Plan {
    /// Redaction pointers of all candidates hold for every event: it is not known yet whose event it is, and content
    /// of one producer in the shape of another is still content.
    pub(super) fn new(candidates: &Candidates, redaction: &Redaction) -> Result<Plan, ProfileError> {
        let mut slots = Slots::default();
        let recognisable =
            candidates.recognisable.iter().map(|profile| ProfilePlan::new(profile, &mut slots)).collect();
        let fallback = ProfilePlan::new(&candidates.fallback, &mut slots);
        let mut entries = Vec::new();
        for rule in &redaction.rules {
            if let Place::Pointer(pointer) = &rule.place {
                entries.push(Entry::new(pointer, Purpose::Redact(rule.action))?);
            }
        }
        if redaction.defaults {
            for pointer in candidates.all().flat_map(|profile| &profile.redact.pointers) {
                entries.push(Entry::new(pointer, Purpose::Redact(Action::Drop))?);
            }
        }
        for (slot, pointer) in slots.pointers.iter().enumerate() {
            entries.push(Entry::new(pointer, Purpose::Remember(slot))?);
        }
        Ok(Plan {
            tree: Node::new(&entries),
            keys: Keys::new(redaction)?,
            pointers: slots.pointers,
            recognisable,
            fallback,
        })
    }
}

impl ProfilePlan {
    fn new(profile: &Profile, slots: &mut Slots) -> ProfilePlan {
        ProfilePlan {
            name: profile.name.clone(),
            default_type: profile.default_type.clone(),
            detect: profile
                .detect
                .iter()
                .map(|tests| tests.iter().map(|test| (slots.of(&test.at), test.is.clone())).collect())
                .collect(),
            id: slots.all(&profile.envelope.id),
            event_type: slots.all(&profile.envelope.event_type),
            time: slots.all(&profile.envelope.time),
            project: slots.all(&profile.envelope.project),
            severity_fields: profile
                .severity
                .fields
                .iter()
                .map(|field| SeverityFieldPlan {
                    slot: slots.of(&field.at),
                    words: field.words.clone(),
                    numbers: field.numbers.clone(),
                })
                .collect(),
            severity_tables: profile
                .severity
                .tables
                .iter()
                .map(|table| SeverityTablePlan {
                    slot: (table.of != "type").then(|| slots.of(&table.of)),
                    rules: table.rules.clone(),
                })
                .collect(),
            version: profile.version.as_ref().map(|version| (slots.of(&version.at), version.known.clone())),
        }
    }
}

/// One slot for each pointer, however many profiles name it.
#[derive(Debug, Default)]
struct Slots {
    pointers: Vec<String>,
}

impl Slots {
    fn of(&mut self, pointer: &str) -> usize {
        self.pointers.iter().position(|known| known == pointer).unwrap_or_else(|| {
            self.pointers.push(pointer.to_owned());
            self.pointers.len() - 1
        })
    }

    fn all(&mut self, pointers: &[String]) -> Vec<usize> {
        pointers.iter().map(|pointer| self.of(pointer)).collect()
    }
}

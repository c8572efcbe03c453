//! Which class an event belongs to, and which activity of it.

use siemaphore_sdk::Event;
use siemaphore_sdk::facts::Decision;

use crate::settings::ClassChoice;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    DetectionFinding,
    ApiActivity,
}

impl Class {
    pub(crate) fn of(event: &Event, decision: Decision, choice: ClassChoice) -> Class {
        match choice {
            ClassChoice::DetectionFinding => Class::DetectionFinding,
            ClassChoice::ApiActivity => Class::ApiActivity,
            ClassChoice::ByEvent if is_finding(event, decision) => Class::DetectionFinding,
            ClassChoice::ByEvent => Class::ApiActivity,
        }
    }

    pub(crate) fn uid(self) -> u64 {
        match self {
            Class::DetectionFinding => 2004,
            Class::ApiActivity => 6003,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Class::DetectionFinding => "Detection Finding",
            Class::ApiActivity => "API Activity",
        }
    }

    pub(crate) fn category(self) -> (u64, &'static str) {
        match self {
            Class::DetectionFinding => (2, "Findings"),
            Class::ApiActivity => (6, "Application Activity"),
        }
    }

    /// The activity's number and its name. For one that the schema does not know, the name is the source's own.
    pub(crate) fn activity(self, event: &Event) -> (u64, &str) {
        match self {
            Class::DetectionFinding => (1, "Create"),
            Class::ApiActivity => api_activity(&event.event_type),
        }
    }
}

/// A producer that finds personal data and lets it pass has found something all the same.
fn is_finding(event: &Event, decision: Decision) -> bool {
    matches!(decision, Decision::Blocked | Decision::Modified | Decision::Flagged)
        || event.event_type.starts_with("dlp.")
}

/// An activity that the schema does not know.
pub(crate) const OTHER: u64 = 99;

/// Endings of event types that are one of the four activities.
const ACTIVITIES: [(u64, &str, &[&str]); 3] = [
    (1, "Create", &["created", "started", "added", "registered"]),
    (3, "Update", &["changed", "updated", "modified"]),
    (4, "Delete", &["deleted", "ended", "removed", "revoked"]),
];

fn api_activity(event_type: &str) -> (u64, &str) {
    let known = ACTIVITIES.iter().find(|(_, _, endings)| {
        endings.iter().any(|ending| {
            event_type
                .strip_suffix(ending)
                .is_some_and(|before| before.is_empty() || before.ends_with(['.', '_', '-']))
        })
    });
    known.map_or((OTHER, event_type), |(id, name, _)| (*id, *name))
}

//! The profile `security_control`: what was done about an event.

use siemaphore_sdk::facts::{Decision, Fact, Facts};
use siemaphore_sdk::json::Object;
use siemaphore_sdk::{Event, Severity};

use crate::class::Class;
use crate::settings::SchemaVersion;

const UNKNOWN: (u64, &str) = (0, "Unknown");
const ALLOWED: (u64, &str) = (1, "Allowed");
const DENIED: (u64, &str) = (2, "Denied");
const OBSERVED: (u64, &str) = (3, "Observed");
const MODIFIED: (u64, &str) = (4, "Modified");

pub(crate) fn write(
    record: &mut Object<'_>,
    class: Class,
    event: &Event,
    facts: &Facts<'_>,
    version: SchemaVersion,
) {
    let decision = facts.decision();
    let (action_id, action) = action(decision, version);
    let (disposition_id, disposition) = disposition(decision);
    record.unsigned("action_id", action_id);
    record.string("action", action);
    record.unsigned("disposition_id", disposition_id);
    record.string("disposition", disposition);
    // Both came into the profile after 1.3.0.
    if version >= SchemaVersion::V1_8 {
        let is_alert = class == Class::DetectionFinding && is_serious(event.severity);
        record.raw("is_alert", if is_alert { "true" } else { "false" });
        if let Some(policy) = facts.text(Fact::Policy) {
            record.object("policy").string("name", &policy);
        }
    }
}

/// Whether it went ahead. Release 1.3.0 knows neither observed nor modified.
fn action(decision: Decision, version: SchemaVersion) -> (u64, &'static str) {
    match version {
        SchemaVersion::V1_3 => decision.pick([ALLOWED, DENIED, ALLOWED, UNKNOWN, UNKNOWN, UNKNOWN]),
        SchemaVersion::V1_8 => decision.pick([ALLOWED, DENIED, MODIFIED, OBSERVED, OBSERVED, UNKNOWN]),
    }
}

fn disposition(decision: Decision) -> (u64, &'static str) {
    const LOGGED: (u64, &str) = (17, "Logged");
    decision.pick([ALLOWED, (2, "Blocked"), (11, "Corrected"), (15, "Detected"), LOGGED, LOGGED])
}

fn is_serious(severity: Severity) -> bool {
    severity.pick([false, false, false, true, true])
}

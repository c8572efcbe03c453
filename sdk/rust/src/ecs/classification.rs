//! Where an event belongs in the Elastic Common Schema: `event.kind`, `category`, `type` and `outcome`.
//!
//! Only listed values are legal there, and Elastic's own rules and views look for them. A document that is in ECS
//! already keeps its own values as far as they are legal; its illegal ones stay among the producer's own members.

use std::borrow::Cow;

use crate::facts::Decision;
use crate::json::{Outline, scan};
use crate::{Event, Severity};

const KINDS: &[&str] = &["alert", "asset", "enrichment", "event", "metric", "pipeline_error", "state"];

const CATEGORIES: &[&str] = &[
    "api",
    "authentication",
    "configuration",
    "database",
    "driver",
    "email",
    "file",
    "host",
    "iam",
    "intrusion_detection",
    "library",
    "malware",
    "network",
    "package",
    "process",
    "registry",
    "session",
    "threat",
    "vulnerability",
    "web",
];

const TYPES: &[&str] = &[
    "access",
    "admin",
    "allowed",
    "change",
    "connection",
    "creation",
    "deletion",
    "denied",
    "device",
    "end",
    "error",
    "group",
    "indicator",
    "info",
    "installation",
    "protocol",
    "start",
    "user",
];

const OUTCOMES: &[&str] = &["success", "failure", "unknown"];

/// Parts of event types that mean a finding, even where it was let through.
const FINDINGS: &[&str] =
    &["secret", "dlp", "pii", "injection", "jailbreak", "violation", "loop", "threat", "leak"];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Classification<'a> {
    pub(super) kind: &'a str,
    pub(super) categories: Vec<&'a str>,
    pub(super) types: Vec<&'a str>,
    pub(super) outcome: &'a str,
}

impl Classification<'static> {
    pub(super) fn of(event: &Event, decision: Decision, outline: &Outline<'_>) -> Classification<'static> {
        let derived = derive(&event.event_type, event.severity, decision);
        let one = |pointer, legal| own(outline, pointer, legal).first().copied();
        let categories = own(outline, "/event/category", CATEGORIES);
        let types = own(outline, "/event/type", TYPES);
        // The two belong together: a category allows certain types only.
        let (categories, types) = if categories.is_empty() || types.is_empty() {
            (derived.categories, derived.types)
        } else {
            (categories, types)
        };
        Classification {
            kind: one("/event/kind", KINDS).unwrap_or(derived.kind),
            categories,
            types,
            outcome: one("/event/outcome", OUTCOMES).unwrap_or(derived.outcome),
        }
    }
}

fn derive(event_type: &str, severity: Severity, decision: Decision) -> Classification<'static> {
    let event_type = event_type.to_ascii_lowercase();
    let has = |part: &str| event_type.contains(part);
    let stopped = matches!(decision, Decision::Blocked | Decision::Modified | Decision::Flagged);
    let grave = matches!(severity, Severity::High | Severity::Critical);
    let found = stopped || grave || FINDINGS.iter().any(|part| has(part));
    let (category, kind_of_event) = if has("authenticat") || has("login") || has("logon") {
        ("authentication", "start")
    } else if has("session") {
        let end = has("end") || has("stop") || has("clos");
        ("session", if end { "end" } else { "start" })
    } else if has("configuration") {
        ("configuration", "change")
    } else if has("member") || has("role") {
        ("iam", "change")
    } else if found {
        ("intrusion_detection", decision.pick(["allowed", "denied", "allowed", "info", "info", "info"]))
    } else {
        ("api", decision.pick(["allowed", "denied", "allowed", "info", "access", "access"]))
    };
    Classification {
        kind: if found && category == "intrusion_detection" { "alert" } else { "event" },
        categories: vec![category],
        types: vec![kind_of_event],
        // A call may be allowed and fail all the same.
        outcome: match Decision::of(event_type.rsplit('.').next().unwrap_or_default()) {
            Decision::Failed => "failure",
            _ => decision.pick(["success", "failure", "success", "unknown", "failure", "unknown"]),
        },
    }
}

/// The legal values among those that the document has there, each once.
fn own(outline: &Outline<'_>, pointer: &str, legal: &'static [&'static str]) -> Vec<&'static str> {
    let Some(value) = outline.pointer(pointer) else { return Vec::new() };
    let values = match scan::text(value) {
        Some(value) => vec![value],
        None => serde_json::from_str::<Vec<Cow<'_, str>>>(value).unwrap_or_default(),
    };
    legal.iter().copied().filter(|legal| values.iter().any(|value| value == legal)).collect()
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::testkit::event;

    #[test]
    fn event_types_and_decisions_become_legal_values() {
        for (event_type, decision, expected) in [
            ("tool_call.completed", Decision::Allowed, ("event", "api", "allowed", "success")),
            ("tool_call.failed", Decision::Allowed, ("event", "api", "allowed", "failure")),
            ("tool_call.blocked", Decision::Blocked, ("alert", "intrusion_detection", "denied", "failure")),
            ("dlp.pii_redacted", Decision::Modified, ("alert", "intrusion_detection", "allowed", "success")),
            ("secret.detected", Decision::Allowed, ("alert", "intrusion_detection", "allowed", "success")),
            ("authentication.failure", Decision::Failed, ("event", "authentication", "start", "failure")),
            ("session.started", Decision::Unknown, ("event", "session", "start", "unknown")),
            ("session.ended", Decision::Unknown, ("event", "session", "end", "unknown")),
            (
                "agent.configuration_changed",
                Decision::Unknown,
                ("event", "configuration", "change", "unknown"),
            ),
            ("member.role_updated", Decision::Unknown, ("event", "iam", "change", "unknown")),
            ("", Decision::Unknown, ("event", "api", "access", "unknown")),
        ] {
            let is = derive(event_type, Severity::Low, decision);
            assert_eq!((is.kind, is.categories[0], is.types[0], is.outcome), expected, "{event_type}");
            assert!(KINDS.contains(&is.kind) && OUTCOMES.contains(&is.outcome), "{event_type}");
            assert!(CATEGORIES.contains(&is.categories[0]) && TYPES.contains(&is.types[0]), "{event_type}");
        }
    }

    #[test]
    fn what_is_grave_is_a_finding_even_when_nothing_else_is_known() {
        let grave = derive("200401", Severity::Critical, Decision::Unknown);
        assert_eq!(
            (grave.kind, grave.categories[0], grave.types[0]),
            ("alert", "intrusion_detection", "info")
        );
    }

    #[test]
    fn a_documents_own_legal_values_are_kept_and_its_illegal_ones_are_not() {
        let own = |document| Classification::of(&event(document), Decision::Blocked, &Outline::new(document));
        let legal = own(
            r#"{"event":{"kind":"state","category":["web","aegis"],"type":["error","denied"],"outcome":"unknown"}}"#,
        );
        let expected = Classification {
            kind: "state",
            categories: vec!["web"],
            types: vec!["denied", "error"],
            outcome: "unknown",
        };
        assert_eq!(legal, expected);
        let illegal = [
            r#"{"event":{"kind":"signal","category":["aegis"],"type":["blocked"],"outcome":"blocked"}}"#,
            r#"{"event":{"kind":7,"category":"web","type":{"error":1},"outcome":["Success"]}}"#,
            r#"{"event":"text"}"#,
            r#"{"event":{"category":["web",1],"type":["error"]}}"#,
        ];
        for document in illegal {
            let derived = derive("dlp.pii_blocked", Severity::High, Decision::Blocked);
            assert_eq!(own(document), derived, "{document}");
        }
    }
}

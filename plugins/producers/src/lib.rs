//! The producers' documented events, as a formatter sees them: the raw fixture, taken in as the host would.
//!
//! For tests of formatters only. Each formatter is held to the same events, so they are kept in one place.
#![forbid(unsafe_code)]
#![allow(clippy::panic, reason = "used by tests only")]

pub mod content;
mod documented;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use siemaphore_model::normalise::{Context, Scratch};
use siemaphore_model::{EventBuffer, Normaliser, Redaction};
use siemaphore_sdk::{Event, Severity};

pub use documented::Documented;

/// The producers, and the standards that others write in. Each has a folder of events.
pub const PRODUCERS: [&str; 8] =
    ["aegis", "aisg", "authos", "cloudevents", "keeptrusts", "ocsf", "otlp", "systemprompt"];

/// One documented event.
#[derive(Debug, Clone)]
pub struct Sample {
    pub producer: &'static str,
    /// The file's name without its ending: `dlp-pii-blocked`.
    pub name: String,
    /// The event as the producer writes it.
    pub raw: Value,
    /// The same event after intake with the profile `auto` and the usual redaction.
    pub event: Event,
}

/// Every documented event, by producer and name.
pub fn samples() -> Vec<Sample> {
    PRODUCERS.into_iter().flat_map(samples_of).collect()
}

/// Every documented event as intake hands it on.
pub fn events() -> Vec<Event> {
    samples().into_iter().map(|sample| sample.event).collect()
}

/// Compares what a formatter makes of every documented event with the snapshots in its `tests/snapshots`, one file for
/// each producer. `package` is the formatter's `env!("CARGO_MANIFEST_DIR")`. `cargo insta review`, or the tests with
/// `INSTA_UPDATE=always`, take changes over.
///
/// # Panics
///
/// When a record is not the one in the snapshot.
pub fn assert_snapshots(package: &str, record: impl Fn(&Sample) -> Value) {
    for producer in PRODUCERS {
        let of_producer = samples_of(producer);
        let records: BTreeMap<&str, Value> =
            of_producer.iter().map(|sample| (sample.name.as_str(), record(sample))).collect();
        let folder = Path::new(package).join("tests/snapshots");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => folder }, {
            insta::assert_json_snapshot!(producer, records);
        });
    }
}

/// One documented event.
///
/// # Panics
///
/// When there is no such fixture.
pub fn sample(producer: &'static str, name: &str) -> Sample {
    read(producer, &folder(producer).join(format!("{name}.json")))
}

/// What the fixture would be if it came from a producer that no profile knows.
pub fn generic(document: &str) -> Event {
    take_in("generic", document)
}

/// Whether `payload` has every key and value of `documented`. Keys beside them are allowed; lists have to be equal.
pub fn contains(payload: &Value, documented: &Value) -> bool {
    match (payload, documented) {
        (Value::Object(payload), Value::Object(documented)) => {
            documented.iter().all(|(key, value)| payload.get(key).is_some_and(|found| contains(found, value)))
        }
        (payload, documented) => payload == documented,
    }
}

/// Where a record has values, as paths with dots between the names: `identity.email`. The elements of a list stand at
/// the list's own path.
pub fn paths(record: &Value) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    collect_paths(record, "", &mut paths);
    paths
}

fn collect_paths(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect_paths(value, &path, paths);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect_paths(element, path, paths)),
        _ => {}
    }
    if !path.is_empty() {
        paths.insert(path.to_owned());
    }
}

fn samples_of(producer: &'static str) -> Vec<Sample> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder(producer))
        .expect("the fixtures are part of the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.sort();
    files.iter().map(|file| read(producer, file)).collect()
}

fn read(producer: &'static str, file: &Path) -> Sample {
    let name = file.file_stem().expect("a file name").to_string_lossy().into_owned();
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let raw = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let event = take_in("auto", &text);
    assert_eq!(event.producer, producer, "auto takes {producer}/{name} for another producer's event");
    Sample { producer, name, raw, event }
}

fn folder(producer: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/producers").join(producer)
}

fn take_in(profile: &str, raw: &str) -> Event {
    let normaliser = Normaliser::new(profile, &Redaction::default()).expect("a shipped profile");
    let context = Context { organization: "acme", source: "gateway", received_ns: 1_780_949_731_000_000_000 };
    let mut taken = EventBuffer::new();
    normaliser
        .normalise(raw, &context, &mut Scratch::default(), &mut taken)
        .unwrap_or_else(|refusal| panic!("{refusal}: {raw}"));
    taken.iter().next().map(|event| to_guest(&event)).expect("one event was taken in")
}

/// As the sandbox hands an event to a guest.
fn to_guest(event: &siemaphore_model::Event<'_>) -> Event {
    Event {
        key: event.key().to_string(),
        id: event.id().to_owned(),
        event_type: event.event_type().to_owned(),
        timestamp: event.timestamp().to_owned(),
        timestamp_ns: event.timestamp_ns(),
        received_ns: event.received_ns(),
        severity: match event.severity() {
            siemaphore_model::Severity::Informational => Severity::Informational,
            siemaphore_model::Severity::Low => Severity::Low,
            siemaphore_model::Severity::Medium => Severity::Medium,
            siemaphore_model::Severity::High => Severity::High,
            siemaphore_model::Severity::Critical => Severity::Critical,
        },
        source: event.source().to_owned(),
        producer: event.producer().to_owned(),
        organization: event.organization().to_owned(),
        project: event.project().map(str::to_owned),
        document: event.document().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use siemaphore_sdk::facts::{Decision, Fact, FactPlaces, Facts};
    use siemaphore_sdk::json::Outline;

    use super::*;

    #[test]
    fn facts_are_found_where_each_standard_puts_them() {
        for (producer, name, decision, expected) in [
            (
                "authos",
                "user-login-failed",
                Decision::Failed,
                &[
                    (Fact::UserId, "user-uuid-1"),
                    (Fact::UserEmail, "j.chen@acme.com"),
                    (Fact::Reason, "invalid second factor"),
                    (Fact::SourceIp, "192.0.2.17"),
                ][..],
            ),
            (
                "cloudevents",
                "systemprompt-secret-detected",
                Decision::Allowed,
                &[
                    (Fact::UserId, "usr_8f3a2b1c"),
                    (Fact::UserEmail, "j.chen@acme.com"),
                    (Fact::Rule, "aws_access_key"),
                    (Fact::Tool, "database_query"),
                    (Fact::Model, "claude-sonnet-4-6"),
                    (Fact::SessionId, "ses_7k2m9n4p"),
                ],
            ),
            (
                "cloudevents",
                "aisg-dlp-pii-blocked",
                Decision::Blocked,
                &[(Fact::Model, "gpt-4.1"), (Fact::RequestId, "req_xyz789")],
            ),
            (
                "cloudevents",
                "aegis-preflight-blocked",
                Decision::Blocked,
                &[(Fact::RequestId, "pflt_abc124")],
            ),
            ("cloudevents", "keeptrusts-escalated", Decision::Flagged, &[(Fact::UserId, "svc_billing_bot")]),
            (
                "cloudevents",
                "tool-call-denied",
                Decision::Blocked,
                &[(Fact::UserId, "u-77"), (Fact::Policy, "least-privilege"), (Fact::Tool, "shell")],
            ),
            (
                "ocsf",
                "detection-finding",
                Decision::Blocked,
                &[
                    (Fact::UserId, "usr_8f3a2b1c"),
                    (Fact::UserEmail, "j.chen@acme.com"),
                    (Fact::UserName, "J. Chen"),
                    (Fact::Policy, "pii-guard"),
                    (Fact::Reason, "Personal data in a prompt"),
                    (Fact::SessionId, "ses_7k2m9n4p"),
                    (Fact::SourceIp, "192.0.2.17"),
                ],
            ),
            (
                "ocsf",
                "api-activity",
                Decision::Allowed,
                &[
                    (Fact::Tool, "database_query"),
                    (Fact::Model, "claude-sonnet-4-6"),
                    (Fact::AgentName, "Code Reviewer"),
                ],
            ),
            (
                "otlp",
                "dlp-pii-blocked",
                Decision::Blocked,
                &[
                    (Fact::UserId, "usr_8f3a2b1c"),
                    (Fact::UserEmail, "j.chen@acme.com"),
                    (Fact::Policy, "pii-guard"),
                    (Fact::Reason, "PII blocked"),
                    (Fact::Model, "gpt-4.1"),
                    (Fact::InputTokens, "1250"),
                    (Fact::RequestId, "0af7651916cd43dd8448eb211c80319c"),
                ],
            ),
            (
                "otlp",
                "tool-call",
                Decision::Unknown,
                &[
                    (Fact::UserId, "usr_8f3a2b1c"),
                    (Fact::Tool, "database_query"),
                    (Fact::AgentId, "agt_code_reviewer"),
                    (Fact::SourceIp, "192.0.2.17"),
                ],
            ),
            (
                "otlp",
                "keeptrusts-body",
                Decision::Blocked,
                &[(Fact::UserId, "user_7f21"), (Fact::Policy, "pii-guard"), (Fact::Model, "gpt-4o")],
            ),
        ] {
            let event = sample(producer, name).event;
            let outline = Outline::new(&event.document);
            let places = FactPlaces::default();
            let facts = Facts::new(&event, &outline, &places);
            assert_eq!(facts.decision(), decision, "{producer}/{name}");
            for (fact, value) in expected {
                assert_eq!(facts.text(*fact).as_deref(), Some(*value), "{producer}/{name} {fact:?}");
            }
        }
    }

    #[test]
    fn every_fixture_survives_intake_with_all_its_documented_members() {
        for sample in samples() {
            let document: Value = serde_json::from_str(&sample.event.document).unwrap();
            assert_eq!(document, sample.raw, "{}/{}", sample.producer, sample.name);
            assert!(!sample.event.document.contains('\n'));
        }
    }
}

//! Every documented event of every producer, as Sentinel gets it with default settings.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_sentinel::Sentinel;
use siemaphore_producers::{Documented, contains, events, samples};
use siemaphore_sdk::testkit;

/// The two that have no default.
const SETTINGS: &str =
    r#"{"dcr_immutable_id":"dcr-0123456789abcdef0123456789abcdef","stream":"Custom-AiEvents_CL"}"#;

fn with_defaults() -> Documented<Sentinel> {
    Documented::new(SETTINGS)
}

#[test]
fn each_documented_event_has_its_expected_record() {
    with_defaults().assert_snapshots(env!("CARGO_MANIFEST_DIR"));
}

/// What has to be in the row, in the way of a reader: members of nested objects joined with `_`.
fn expect_columns(row: &Value, path: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}_{key}") };
                expect_columns(row, &path, value);
            }
        }
        value => {
            let column = column(path);
            // The end of a long name is a digest, which `columns.rs` has its own tests for.
            let columns = row.as_object().unwrap().iter();
            let mut named = columns.filter(|(name, _)| match column.get(..36) {
                Some(start) if column.len() > 45 => name.starts_with(start),
                _ => **name == column,
            });
            assert!(named.any(|(_, found)| found == value), "{column} in {row}");
        }
    }
}

/// Letters, digits and `_` only, and none of the names that Log Analytics keeps for itself.
fn column(path: &str) -> String {
    let name = path.replace(|sign: char| !sign.is_ascii_alphanumeric(), "_");
    match name.trim_start_matches('_') {
        reserved @ ("id" | "type" | "title") => format!("x_{reserved}"),
        name => name.to_owned(),
    }
}

#[test]
fn every_value_of_every_document_has_its_column() {
    for sample in samples() {
        let row = with_defaults().of(&sample);
        expect_columns(&row, "", &sample.raw);
        assert!(row.as_object().unwrap().values().all(|value| !value.is_object()), "{row} is flat");
    }
}

#[test]
fn aisg_has_sentinels_severities_and_keeps_its_own() {
    for (name, severity, original) in [
        ("dlp-pii-blocked", "High", "high"),
        ("dlp-injection-blocked", "High", "critical"),
        ("dlp-pii-redacted", "Medium", "medium"),
        ("budget-exhausted", "Medium", "medium"),
        ("loop-detected", "High", "high"),
    ] {
        let row = with_defaults().named("aisg", name);
        let documented = json!({
            "TimeGenerated": "2026-06-08T20:15:30Z",
            "Severity": severity,
            "OriginalSeverity": original,
            "severity": original,
            "project_id": "proj_abc123",
        });
        assert!(contains(&row, &documented), "{row}");
    }
}

#[test]
fn the_columns_of_keeptrusts_published_queries_are_there() {
    let row = with_defaults().named("keeptrusts", "escalated");
    let queried = json!({
        "TimeGenerated": "2026-05-12T09:12:05.25Z",
        "action_s": "escalate",
        "policy_name_s": "human-review",
        "model_s": "gpt-4o",
        "event_type_s": "escalated",
        "user_id_s": "svc_billing_bot",
    });
    assert!(contains(&row, &queried), "{row}");
    assert_eq!(with_defaults().named("aisg", "loop-detected").get("event_type_s"), None, "for nobody else");
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Sentinel>(&events());
}

//! Every documented event of every producer, as the Data Collector API gets it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_azure_data_collector::DataCollector;
use siemaphore_producers::{events, sample, samples};
use siemaphore_sdk::testkit::{self, Configured};

fn configured() -> Configured<DataCollector> {
    testkit::configure(r#"{"log_type":"AiEvents"}"#).unwrap()
}

fn row(producer: &'static str, name: &str) -> Value {
    serde_json::from_str(&configured().record(&sample(producer, name).event)).unwrap()
}

#[test]
fn each_documented_event_has_its_expected_record() {
    siemaphore_producers::assert_snapshots(env!("CARGO_MANIFEST_DIR"), |sample| {
        serde_json::from_str(&configured().record(&sample.event)).unwrap()
    });
}

#[test]
fn documents_are_flat_and_have_the_columns_of_the_producers_queries() {
    let row = row("keeptrusts", "blocked");
    for (column, value) in
        [("action", "block"), ("policy_name", "pii-guard"), ("gateway_id", "gw_eu_1"), ("org_id", "org_acme")]
    {
        assert_eq!(row[column], value, "arrives as {column}_s");
    }
    assert_eq!((&row["EventTime"], &row["Severity"]), (&json!("2026-05-12T09:11:05Z"), &json!("High")));
}

#[test]
fn no_row_has_more_columns_than_microsoft_recommends() {
    for sample in samples() {
        let row: Value = serde_json::from_str(&configured().record(&sample.event)).unwrap();
        let columns = row.as_object().unwrap();
        assert!(columns.len() <= 50, "{}/{}", sample.producer, sample.name);
        assert!(columns.values().all(|value| !value.is_array() && !value.is_object() && !value.is_null()));
    }
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<DataCollector>(&events());
}

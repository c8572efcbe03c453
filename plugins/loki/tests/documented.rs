//! Every documented event of every producer, as Loki gets it with default settings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_loki::Loki;
use siemaphore_producers::{Documented, events, samples};
use siemaphore_sdk::testkit;

fn with_defaults() -> Documented<Loki> {
    Documented::new("{}")
}

#[test]
fn each_documented_event_has_its_expected_record() {
    with_defaults().assert_snapshots(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn the_line_is_the_whole_document() {
    for sample in samples() {
        let record = with_defaults().of(&sample);
        assert_eq!(record["values"][0][1], sample.event.document, "{}/{}", sample.producer, sample.name);
        assert_eq!(record["values"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn metadata_is_flat_text() {
    for sample in samples() {
        let record = with_defaults().of(&sample);
        let metadata = record["values"][0][2].as_object().unwrap();
        assert!(metadata.values().all(Value::is_string), "{record}");
        assert_eq!(metadata["event_key"], sample.event.key);
    }
}

#[test]
fn the_example_of_the_set_up_page_arrives_as_it_shows() {
    let record = with_defaults().named("aisg", "budget-exhausted");
    assert_eq!(
        record["stream"],
        json!({ "service_name": "siemaphore", "organization": "acme", "producer": "aisg", "level": "warn" })
    );
    assert_eq!(record["values"][0][0], "1780949730000000000");
    let metadata = &record["values"][0][2];
    assert_eq!(
        (&metadata["event_type"], &metadata["severity"]),
        (&json!("budget.exhausted"), &json!("medium"))
    );
    assert_eq!((&metadata["decision"], &metadata["project"]), (&json!("blocked"), &json!("proj_abc123")));
    assert_eq!(metadata.get("producer"), None, "a label is not repeated");
}

#[test]
fn who_and_what_have_one_name_for_all_producers() {
    for (producer, name, user, decision) in [
        ("systemprompt", "tool-call-completed", "usr_8f3a2b1c", "allowed"),
        ("aegis", "preflight-blocked", "actor@example.com", "blocked"),
        ("keeptrusts", "blocked", "user_7f21", "blocked"),
    ] {
        let metadata = &with_defaults().named(producer, name)["values"][0][2];
        assert_eq!(
            (&metadata["user_id"], &metadata["decision"]),
            (&json!(user), &json!(decision)),
            "{producer}"
        );
    }
}

#[test]
fn all_events_together_make_few_streams() {
    let streams: std::collections::BTreeSet<String> = samples()
        .into_iter()
        .map(|sample| {
            let record = with_defaults().of(&sample);
            record["stream"].to_string()
        })
        .collect();
    // Four levels of each producer at most, however many types of events there are.
    assert!(streams.len() <= 4 * siemaphore_producers::PRODUCERS.len(), "{streams:?}");
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Loki>(&events());
}

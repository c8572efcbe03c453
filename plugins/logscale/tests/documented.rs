//! Every documented event of every producer, as LogScale gets it with default settings.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_logscale::LogScale;
use siemaphore_producers::{contains, events, sample, samples};
use siemaphore_sdk::Event;
use siemaphore_sdk::testkit;

fn record(event: &Event) -> Value {
    serde_json::from_str(&testkit::configure::<LogScale>("{}").unwrap().record(event)).unwrap()
}

#[test]
fn each_documented_event_has_its_expected_record() {
    siemaphore_producers::assert_snapshots(env!("CARGO_MANIFEST_DIR"), |sample| record(&sample.event));
}

#[test]
fn every_member_of_every_document_is_below_its_producers_name() {
    for sample in samples() {
        let record = record(&sample.event);
        let mut raw = sample.raw.clone();
        // A document in ECS has such a member already, and it keeps its place.
        let members = raw.as_object_mut().unwrap();
        let namesake = members.remove(sample.producer);
        // What is no object where others have one stands beside it.
        if let Some(body) = members.get("body").filter(|body| !body.is_object()).cloned() {
            members.remove("body");
            members.insert("body_value".to_owned(), body);
        }
        let own = &record["event"][sample.producer];
        assert!(contains(own, &raw), "{}/{}: {record}", sample.producer, sample.name);
        assert!(namesake.is_none_or(|namesake| contains(own, &namesake)), "{record}");
    }
}

#[test]
fn the_time_is_in_seconds_with_milliseconds() {
    let completed = sample("systemprompt", "tool-call-completed").event;
    assert_eq!(record(&completed)["time"], json!(1_775_572_338.847));
    let finer = Event { timestamp_ns: 1_780_949_730_123_456_789, ..completed };
    let text = testkit::configure::<LogScale>("{}").unwrap().record(&finer);
    assert!(text.starts_with(r#"{"time":1780949730.123,"#), "{text}");
}

#[test]
fn severity_key_and_identity_stand_where_ecs_has_them() {
    let blocked = sample("systemprompt", "tool-call-blocked").event;
    let record = record(&blocked);
    assert_eq!((&record["host"], &record["source"]), (&json!("gateway"), &json!("systemprompt")));
    let event = &record["event"];
    assert_eq!((&event["event"]["severity"], &event["event"]["hash"]), (&json!(73), &json!(blocked.key)));
    assert_eq!(event["user"]["email"], "j.chen@acme.com");
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<LogScale>(&events());
}

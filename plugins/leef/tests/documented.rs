//! Every documented event of every producer, as QRadar gets it with default settings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use serde_json::Value;
use siemaphore_formatter_leef::Leef;
use siemaphore_producers::{events, sample, samples};
use siemaphore_sdk::Event;
use siemaphore_sdk::testkit;

fn line(event: &Event) -> String {
    testkit::configure::<Leef>("{}").unwrap().record(event)
}

fn attributes(line: &str) -> BTreeMap<&str, &str> {
    let pairs = line.splitn(7, '|').last().unwrap().split('\t');
    pairs.map(|pair| pair.split_once('=').unwrap()).collect()
}

#[test]
fn each_documented_event_has_its_expected_line() {
    siemaphore_producers::assert_snapshots(env!("CARGO_MANIFEST_DIR"), |sample| line(&sample.event).into());
}

#[test]
fn every_line_ends_with_the_whole_document_and_fits_where_qradar_cuts() {
    for sample in samples() {
        let line = line(&sample.event);
        let document: Value = serde_json::from_str(attributes(&line)["document"]).unwrap();
        assert_eq!(document, sample.raw, "{}/{}", sample.producer, sample.name);
        assert!(line.len() <= 4_096);
    }
}

#[test]
fn the_facts_are_in_qradars_keys() {
    let line = line(&sample("systemprompt", "tool-call-blocked").event);
    assert!(
        line.starts_with("LEEF:2.0|Siemaphore|AI Security|1|tool_call.blocked|x09|devTime=1775570778847\t"),
        "{line}"
    );
    let attributes = attributes(&line);
    for (key, value) in [
        ("cat", "tool_call"),
        ("sev", "8"),
        ("usrName", "j.chen@acme.com"),
        ("userId", "usr_8f3a2b1c"),
        ("resource", "database_query"),
        ("toolServer", "postgres-readonly"),
        ("rule", "department_scope_check"),
        ("action", "blocked"),
        ("model", "claude-sonnet-4-6"),
        ("agentName", "Code Reviewer"),
        ("organization", "acme"),
        ("eventId", "evt_01JR9X5K7M3N2P4Q6R8S06"),
    ] {
        assert_eq!(attributes.get(key), Some(&value), "{key}");
    }
    assert_eq!(attributes["eventKey"].len(), 32);
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Leef>(&events());
}

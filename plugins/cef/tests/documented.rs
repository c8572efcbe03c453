//! Every documented event of every producer, as a collector gets it with default settings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::Value;
use siemaphore_formatter_cef::Cef;
use siemaphore_producers::{events, sample, samples};
use siemaphore_sdk::Event;
use siemaphore_sdk::testkit;

fn line(event: &Event) -> String {
    testkit::configure::<Cef>("{}").unwrap().record(event)
}

#[test]
fn each_documented_event_has_its_expected_line() {
    siemaphore_producers::assert_snapshots(env!("CARGO_MANIFEST_DIR"), |sample| line(&sample.event).into());
}

#[test]
fn every_line_ends_with_the_whole_document() {
    for sample in samples() {
        let line = line(&sample.event);
        let (_, escaped) = line.split_once(" SiemaphoreDocument=").unwrap();
        let document = escaped.replace("\\=", "=").replace("\\\\", "\\");
        let document: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document, sample.raw, "{}/{}", sample.producer, sample.name);
    }
}

#[test]
fn the_facts_are_in_the_keys_of_the_dictionary() {
    let line = line(&sample("systemprompt", "tool-call-completed").event);
    assert!(
        line.starts_with(
            "CEF:0|Siemaphore|systemprompt|1|tool_call.completed|Tool call completed|1|rt=1775572338847 "
        ),
        "{line}"
    );
    for pair in [
        " cat=tool_call ",
        " act=allowed outcome=success ",
        " suser=j.chen@acme.com suid=usr_8f3a2b1c ",
        " sourceServiceName=Code Reviewer ",
        " destinationServiceName=postgres-readonly ",
        " cs2Label=model cs2=claude-sonnet-4-6 ",
        " cs3Label=session cs3=ses_7k2m9n4p ",
        " cs5Label=organization cs5=acme ",
        " cs6Label=tool cs6=database_query ",
        " cn1Label=input tokens cn1=1250 ",
        " dvchost=gateway ",
        " SiemaphoreEventId=evt_01JR9X5K7M3N2P4Q6R8S0T ",
    ] {
        assert!(line.contains(pair), "{pair:?} is not in {line}");
    }
    assert!(!line.contains("cs1="), "no policy, no key for one: {line}");
}

#[test]
fn a_block_is_a_failure_of_what_was_attempted() {
    let line = line(&sample("keeptrusts", "blocked").event);
    assert!(line.contains(" act=blocked outcome=failure "), "{line}");
    assert!(line.contains(" cs1Label=policy cs1=pii-guard "), "{line}");
    let flagged = testkit::configure::<Cef>("{}").unwrap().record(&sample("keeptrusts", "escalated").event);
    assert!(flagged.contains(" act=flagged ") && !flagged.contains("outcome="), "{flagged}");
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Cef>(&events());
}

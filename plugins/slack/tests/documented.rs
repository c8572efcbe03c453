//! Every documented event of every producer, as Slack gets it with default settings.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_slack::Slack;
use siemaphore_producers::{Documented, events, sample, samples};
use siemaphore_sdk::testkit;

fn with_defaults() -> Documented<Slack> {
    Documented::new("{}")
}

#[test]
fn each_documented_event_has_its_expected_record() {
    with_defaults().assert_snapshots(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn every_documented_document_is_shown_whole() {
    for sample in samples() {
        let message = with_defaults().of(&sample);
        let shown = message["attachments"][0]["blocks"][2]["text"]["text"].as_str().unwrap();
        let shown = shown.strip_prefix("```").and_then(|shown| shown.strip_suffix("```")).unwrap();
        let shown = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let shown: Value = serde_json::from_str(&shown).unwrap();
        let document: Value = serde_json::from_str(&sample.event.document).unwrap();
        assert_eq!(shown, document, "{}/{}", sample.producer, sample.name);
    }
}

#[test]
fn the_example_of_the_set_up_page_arrives_as_it_shows() {
    let message = with_defaults().named("systemprompt", "tool-call-blocked");
    let headline = "*High*: tool_call.blocked (user j.chen@acme.com, tool database_query)";
    assert_eq!(message["text"], headline);
    let blocks = &message["attachments"][0]["blocks"];
    let fields: Vec<&str> =
        blocks[0]["fields"].as_array().unwrap().iter().map(|field| field["text"].as_str().unwrap()).collect();
    let expected = [
        "*Severity*\nhigh",
        "*Decision*\nblocked",
        "*User*\nj.chen@acme.com (usr_8f3a2b1c)",
        "*Rule*\ndepartment_scope_check",
        "*Tool*\ndatabase_query (postgres-readonly)",
        "*Agent*\nCode Reviewer",
        "*Model*\nclaude-sonnet-4-6",
        "*Session*\nses_7k2m9n4p",
    ];
    assert_eq!(fields, expected);
    let event = sample("systemprompt", "tool-call-blocked").event;
    let small_print: Vec<&Value> =
        blocks[1]["elements"].as_array().unwrap().iter().map(|element| &element["text"]).collect();
    let seconds = event.timestamp_ns / 1_000_000_000;
    let when = format!("<!date^{seconds}^{{date_num}} {{time_secs}}|{}>", event.timestamp);
    let key = format!("`{}`", event.key);
    assert_eq!(small_print, [&json!(when), &json!("acme"), &json!("systemprompt from gateway"), &json!(key)]);
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<Slack>(&events());
}

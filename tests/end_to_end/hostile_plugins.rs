//! Customers' formatters that misbehave once real events come: what it costs their destination, and that it costs the
//! others nothing.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::guests::{
    UNCHECKED_TYPE, burns_after_the_check, delivered_on_a_500, rejects_after_the_check, schema_bomb,
    traps_on_one_event,
};
use crate::support::events::{numbered, numbered_ids};
use crate::support::{Destination, Kind, Scene, ids, run};

/// Delivers to a stand-in of Datadog with a customer's plugin of the same name.
fn formatted_by(plugin: &str) -> Destination {
    Destination::to(Kind::Datadog).named(plugin).formatted_by(plugin).with_only(&format!(
        "authentication = {{ scheme = \"header\", header = \"DD-API-KEY\", secret = \"file:FOLDER/{plugin}.secret\" }}"
    ))
}

/// Events that no check of a formatter has seen.
fn unchecked(prefix: &str, count: usize) -> Vec<Value> {
    let mut events = numbered(prefix, count);
    for event in &mut events {
        event["event_type"] = json!(format!("{UNCHECKED_TYPE}event"));
    }
    events
}

/// Two of them, because two threads format on a machine with two processors.
#[tokio::test]
async fn while_two_plugins_burn_all_the_time_they_get_a_neighbours_events_all_arrive() {
    let burner = burns_after_the_check::component();
    let scene = Scene::new()
        .plugins("cpu = \"200ms\"")
        .plugin("burner-one.wasm", &burner)
        .plugin("burner-two.wasm", &burner)
        .to(formatted_by("burner-one"))
        .to(formatted_by("burner-two"))
        .splunk()
        .start()
        .await;
    let mut expected = Vec::new();
    for round in 0..20 {
        let prefix = format!("round{round}");
        scene.send(&unchecked(&prefix, 100)).await;
        expected.extend(numbered_ids(&prefix, 100));
        // Each round waits for the one before: a neighbour that only starts well would not do.
        scene.splunk().arrived(expected.len()).await;
    }
    expected.sort();
    assert_eq!(ids(&scene.splunk().received()), expected, "each event once");
    for burner in ["burner-one", "burner-two"] {
        let view = scene.until(burner, "in trouble", |view| !view["status"]["last_error"].is_null()).await;
        assert_eq!(view["ledger"]["waiting"], 2_000, "{view:#}");
        assert_eq!(view["ledger"]["dead_lettered"], 0, "{view:#}");
    }
    scene.stop().await;
}

#[tokio::test]
async fn of_500_events_one_that_the_formatter_traps_on_is_dead_lettered_with_the_formatters_own_words() {
    let scene = Scene::new()
        .plugin("picky.wasm", &traps_on_one_event::component())
        .to(formatted_by("picky"))
        .start()
        .await;
    let mut events = numbered("well", 500);
    events[321]["request_id"] = json!(format!("{}-1", traps_on_one_event::POISON));
    scene.send(&events).await;
    scene.siem("picky").arrived(499).await;
    let view = scene.until("picky", "settled", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!((&view["ledger"]["delivered"], &view["ledger"]["dead_lettered"]), (&499.into(), &1.into()));

    let letters = scene.ask(&["dead-letters", "list", "--json"]).await.expect(0).json();
    assert_eq!(letters.as_array().unwrap().len(), 1, "{letters:#}");
    let shown = scene.ask(&["dead-letters", "show", &letters[0]["id"].to_string()]).await.expect(0);
    shown.shows(&["poison-1", traps_on_one_event::LAST_WORDS, "formatter `picky` trapped"]);
    scene.stop().await;
}

#[tokio::test]
async fn a_formatter_that_rejects_everything_dead_letters_nothing_and_its_destination_is_held() {
    let component = rejects_after_the_check::component();
    let scene = Scene::new().plugin("refusing.wasm", &component).to(formatted_by("refusing")).start().await;
    for round in 0..10 {
        scene.send(&unchecked(&format!("round{round}"), 50)).await;
    }
    let view = scene.until("refusing", "holding", |view| view["status"]["state"] == "holding").await;
    assert_eq!(view["ledger"]["waiting"], 500, "{view:#}");
    assert_eq!(view["ledger"]["dead_lettered"], 0, "{view:#}");
    assert!(view["status"]["last_error"].to_string().contains(rejects_after_the_check::REASON), "{view:#}");
    scene.stop().await;
}

/// The sandbox takes these: each is a component that keeps to its limits.
#[tokio::test]
async fn what_the_sandbox_cannot_know_of_a_formatter_its_check_does() {
    let folder = TempDir::new().unwrap();
    for (name, component, told) in [
        ("liar", delivered_on_a_500::component(), "it breaks the law `answers`"),
        ("bomb", schema_bomb::component(), "values once its references are followed"),
    ] {
        let file = folder.path().join(format!("{name}.wasm"));
        fs::write(&file, component).unwrap();
        run(&["plugin", "check", file.to_str().unwrap()]).await.expect(1).shows(&[told]);
    }
}

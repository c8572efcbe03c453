//! Two versions of a formatter on the same events.

use std::fs;

use serde_json::{Value, json};

use super::Workshop;
use crate::support::events::numbered;
use crate::support::formatter::{broken_on_events, bundled, handmade, rebuilt};
use crate::support::{Scene, run};

#[tokio::test]
async fn two_versions_are_compared_record_by_record() {
    let shop = Workshop::new();
    let (old, new) = (shop.file("v1.wasm", handmade("first")), shop.file("v2.wasm", handmade("second")));
    let events = shop.events("events.jsonl", &numbered("compared", 700));
    let compared = run(&["plugin", "diff", &old, &new, "--events", &events, "--limit", "3"]).await.expect(1);
    compared.shows(&[
        "/message  \"first\" -> \"second\"",
        "event 3 ",
        "697 more",
        "700 events: 0 the same, 700 different, the request is the same",
    ]);
    assert!(!compared.stdout.contains("event 4 "), "{}", compared.stdout);
    let compared = run(&["plugin", "diff", &old, &new, "--events", &events, "--json"]).await.expect(1).json();
    assert_eq!(compared["summary"]["different"], 700);
    let differences = compared["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 20);
    assert_eq!(differences[19]["event"], 20);
    assert_eq!(differences[19]["changes"], json!([{ "at": "/message", "old": "first", "new": "second" }]));

    let same = shop.file("v1b.wasm", rebuilt(&handmade("first"), "again"));
    let compared = run(&["plugin", "diff", &old, &same, "--events", &events]).await.expect(0);
    compared.shows(&["700 events: 700 the same, the request is the same"]);
}

#[tokio::test]
async fn a_change_of_the_request_and_events_that_only_one_version_rejects_are_told() {
    let shop = Workshop::new();
    let works = shop.file("works.wasm", handmade("works"));
    let broken = shop.file("broken.wasm", broken_on_events());
    let events = shop.events("events.jsonl", &numbered("rejected", 3));
    let compared = run(&["plugin", "diff", &works, &broken, "--events", &events]).await.expect(1);
    compared.shows(&[
        "rejected by new only: formatter `broken` trapped",
        "3 events: 0 the same, 3 rejected by new only",
    ]);
    let compared =
        run(&["plugin", "diff", &broken, &works, "--events", &events, "--json"]).await.expect(1).json();
    assert_eq!(compared["summary"]["rejected_by_old_only"], 3);
    let both =
        run(&["plugin", "diff", &broken, &broken, "--events", &events, "--json"]).await.expect(0).json();
    assert_eq!((&both["summary"]["same"], &both["summary"]["rejected_by_both"]), (&3.into(), &3.into()));

    let datadog = shop.file("datadog-2.wasm", bundled("datadog"));
    let compared =
        run(&["plugin", "diff", &works, &datadog, "--events", &events, "--settings", "{}"]).await.expect(1);
    compared.shows(&["the request", "500 -> 1000", "/compression", "the request differs"]);

    // Sixty-five calls that end in a trap are enough to know; nobody waits for thousands that end in a time limit.
    let many = shop.events("many.jsonl", &numbered("many", 500));
    let given_up = run(&["plugin", "diff", &works, &broken, "--events", &many]).await.expect(1);
    given_up.shows(&["fails again and again", "hint: "]);
}

#[tokio::test]
async fn the_newest_events_of_the_store_are_compared_whether_the_host_runs_or_not() {
    let mut scene = Scene::new().splunk().start().await;
    for part in 0..3 {
        scene.send(&numbered(&format!("part-{part}"), 10)).await;
    }
    scene.splunk().arrived(30).await;
    let exported = scene.ask(&["export", "--since", "1h"]).await.expect(0).stdout;
    let exported: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let newest: Vec<&Value> = exported[15..].iter().map(|line| &line["siemaphore"]["event_key"]).collect();
    let other = scene.path("other.wasm");
    fs::write(&other, handmade("other")).unwrap();
    let other = other.to_str().unwrap();
    let diff = ["plugin", "diff", "splunk", other, "--last", "15", "--destination", "splunk", "--json"];
    for host_runs in [true, false] {
        if !host_runs {
            scene.host.terminate().await;
        }
        let compared = scene.ask(&diff).await.expect(1).json();
        assert_eq!(compared["summary"]["events"], 15);
        let differences = compared["differences"].as_array().unwrap();
        let keys: Vec<&Value> = differences.iter().map(|different| &different["event_key"]).collect();
        assert_eq!(keys, newest, "the stored events themselves, keys and all");
    }
    let all = scene.ask(&["plugin", "diff", "splunk", "splunk"]).await.expect(0);
    all.shows(&["30 events: 30 the same"]);
    scene.restart().await;
    scene.stop().await;
}

#[tokio::test]
async fn what_keeps_versions_from_being_compared_is_said_with_what_to_do() {
    let shop = Workshop::new();
    let events = shop.events("events.jsonl", &numbered("one", 1));
    let diff = async |arguments: &[&str], told: &[&str]| {
        run(&[&["plugin", "diff"], arguments].concat()).await.expect(1).shows(told);
    };
    let wrong = r#"{"index":7}"#;
    diff(&["splunk", "splunk", "--events", &events, "--settings", wrong], &["index", "--settings JSON"])
        .await;
    // Whether or not there is a configuration with a store.
    diff(&["splunk", "v2.wasm", "--config", "/nonexistent.toml"], &["`v2.wasm` is neither a file"]).await;
    diff(&["splunk", "splnk", "--events", &events], &["`splnk`", "built-in formatter", "datadog"]).await;
    let empty = shop.file("empty.jsonl", "");
    diff(&["splunk", "splunk", "--events", &empty], &["empty.jsonl holds no event"]).await;
    let refused = shop.file("refused.jsonl", "[1]");
    diff(&["splunk", "splunk", "--events", &refused], &["holds no event that would be taken", "event 1"])
        .await;
    let nowhere = ["plugin", "diff", "splunk", "splunk", "--config", "/nonexistent.toml", "--json"];
    let told = run(&nowhere).await.expect(2);
    assert!(told.stderr.contains("/nonexistent.toml"), "{told:?}");
    assert_eq!(told.json()["error"]["reason"], "/nonexistent.toml cannot be used");
    assert_eq!(told.json()["problems"].as_array().map(Vec::len), Some(1));
    let unknown = ["plugin", "diff", "splunk", "splnk", "--events", &events, "--json"];
    assert!(run(&unknown).await.expect(1).json()["error"]["reason"].as_str().unwrap().contains("splnk"));
}

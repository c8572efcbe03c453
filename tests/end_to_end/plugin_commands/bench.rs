//! What a formatter costs.

use serde_json::Value;

use super::Workshop;
use crate::support::events::numbered;
use crate::support::formatter::{broken_on_events, handmade, rebuilt};
use crate::support::run;

#[tokio::test]
async fn figures_stand_beside_their_limits_and_fuel_is_the_same_in_every_run() {
    let shop = Workshop::new();
    let acme = shop.file("acme.wasm", handmade("measured"));
    let events = shop.events("events.jsonl", &numbered("measured", 120));
    let bench = ["plugin", "bench", &acme, "--events", &events, "--seconds", "1"];
    run(&bench).await.expect(0).shows(&[
        "events a second",
        "CPU time an event",
        "fuel an event",
        "fuel to start and configure",
        "peak memory",
        "64.0 MiB",
        "16.0 MiB",
        "start and configure",
        "in the mean",
    ]);
    let json = async |plugin: &str| {
        run(&["plugin", "bench", plugin, "--events", &events, "--seconds", "1", "--json"])
            .await
            .expect(0)
            .json()
    };
    let number =
        |report: &Value, key: &str| report[key].as_u64().unwrap_or_else(|| panic!("{key} in {report}"));
    let (first, second) =
        (json(&acme).await, json(&shop.file("b.wasm", rebuilt(&handmade("measured"), "b"))).await);
    for key in [
        "fuel_per_event",
        "fuel_to_open",
        "output_bytes_per_event",
        "peak_memory_bytes",
        "document_bytes_per_event",
    ] {
        assert_eq!(number(&first, key), number(&second, key), "{key}");
    }
    // `{"message":"measured","event_key":"…"}`, and four pages of memory with what the events take of a fifth.
    assert_eq!(number(&first, "output_bytes_per_event"), 69);
    assert!(number(&first, "peak_memory_bytes") >= 4 << 16, "{first}");
    assert!(number(&first, "fuel_per_event") > 32, "{first}");
    assert!(number(&first, "events") >= 120 && number(&first, "events_per_second") > 0, "{first}");
}

#[tokio::test]
async fn a_formatter_is_measured_on_samples_where_no_events_are_given() {
    let report = run(&["plugin", "bench", "splunk", "--seconds", "1", "--json"]).await.expect(0).json();
    assert_eq!(report["events"].as_u64().unwrap() % 500, 0, "{report}");
    assert_eq!(report["rejected"], 0, "{report}");
    let shop = Workshop::new();
    let broken = shop.file("broken.wasm", broken_on_events());
    let failed = run(&["plugin", "bench", &broken]).await.expect(1);
    failed.shows(&["a batch of 500 events fails: formatter `broken` trapped", "hint: "]);
}

//! Events arrive: all of them, once, whole, as each SIEM wants them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use siemaphore_producers::contains;

use crate::support::events::{documented, now, numbered, numbered_ids};
use crate::support::{Destination, Kind, Scene, StandIn, ids, keys};

#[tokio::test]
async fn every_documented_event_arrives_once_at_each_siem_with_its_documented_values() {
    let scene = Scene::new().splunk().datadog().sentinel().start().await;
    let samples = documented();
    let events: Vec<Value> = samples.iter().map(|sample| sample.raw.clone()).collect();
    scene.send(&events).await;

    type Shows = fn(&Value, &Value) -> bool;
    let siems: [(&StandIn, Shows); 3] = [
        (scene.splunk(), |record, raw| record["event"] == *raw),
        (scene.datadog(), contains),
        (scene.sentinel(), has_columns),
    ];
    let mut keys_of_siems = BTreeSet::new();
    for (siem, shows) in siems {
        let received = siem.arrived(samples.len()).await;
        let keys: BTreeSet<String> = keys(&received).into_iter().collect();
        assert_eq!(keys.len(), samples.len(), "each event once");
        for sample in samples.iter().filter(|sample| KEEPING_THEIR_NAMES.contains(&sample.producer)) {
            let found = received.iter().filter(|received| shows(&received.record, &sample.raw)).count();
            assert_eq!(found, 1, "{}/{} in {received:#?}", sample.producer, sample.name);
        }
        keys_of_siems.insert(keys);
    }
    assert_eq!(keys_of_siems.len(), 1, "an event has the same key everywhere");
    scene.stop().await;
}

/// Producers without a member that one of these SIEMs reserves, as `status` is in Datadog and `type` in Sentinel. What
/// becomes of the others' names is in the snapshots of the formatters.
const KEEPING_THEIR_NAMES: [&str; 4] = ["aegis", "aisg", "keeptrusts", "systemprompt"];

/// Every value of `raw` in a flat row: members of nested objects joined with `_`.
fn has_columns(row: &Value, raw: &Value) -> bool {
    fn each(row: &Value, path: &str, value: &Value) -> bool {
        let Value::Object(members) = value else { return row[path.trim_start_matches('@')] == *value };
        members.iter().all(|(key, value)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}_{key}") };
            each(row, &path, value)
        })
    }
    each(row, "", raw)
}

#[tokio::test]
async fn requests_are_compressed_and_authenticated_as_each_siem_documents_it() {
    let scene = Scene::new().splunk().datadog().sentinel().start().await;
    scene.send(&numbered("auth", 100)).await;
    for siem in [scene.splunk(), scene.datadog(), scene.sentinel()] {
        siem.arrived(100).await;
    }
    for (siem, header, value) in [
        (scene.splunk(), "authorization", format!("Splunk {}", Kind::Splunk.secret())),
        (scene.datadog(), "dd-api-key", Kind::Datadog.secret().to_owned()),
    ] {
        for request in siem.requests() {
            assert_eq!(request.headers[header], value, "{}", request.path);
        }
    }
    let tokens = scene.sentinel().requests();
    assert_eq!(
        tokens.iter().filter(|request| request.path.ends_with("/token")).count(),
        1,
        "one token for all"
    );
    for siem in [scene.splunk(), scene.datadog(), scene.sentinel()] {
        for request in siem.requests().iter().filter(|request| request.records > 0) {
            assert_eq!(request.headers["content-encoding"], "gzip");
            assert!(request.compressed_bytes * 4 < request.plain_bytes, "{request:?}");
        }
    }
    scene.stop().await;
}

#[tokio::test]
async fn a_destination_gets_what_it_subscribed_to_and_the_ledger_counts_the_rest() {
    let scene = Scene::new()
        .to(Destination::to(Kind::Splunk).with("events = [\"dlp.*\"]"))
        .to(Destination::to(Kind::Datadog).with("minimum_severity = \"high\""))
        .to(Destination::to(Kind::Sentinel).with("projects = [\"elsewhere\"]"))
        .start()
        .await;
    let event = |id: &str, kind: &str, severity: &str, project: &str| {
        json!({ "source": "aisg", "request_id": id, "event_type": kind, "severity": severity,
                "project_id": project, "timestamp": now() })
    };
    scene
        .send(&[
            event("a", "dlp.pii_blocked", "low", "here"),
            event("b", "budget.exhausted", "critical", "here"),
            event("c", "dlp.injection_blocked", "high", "elsewhere"),
        ])
        .await;
    for (name, wanted) in [("splunk", &["a", "c"][..]), ("datadog", &["b", "c"]), ("sentinel", &["c"])] {
        scene
            .until(name, "done", |view| view["ledger"]["waiting"] == 0 && view["ledger"]["accepted"] == 3)
            .await;
        assert_eq!(ids(&scene.siem(name).received()), wanted, "{name}");
        let ledger = scene.destination(name).await["ledger"].clone();
        assert_eq!(
            (&ledger["delivered"], &ledger["filtered"]),
            (&json!(wanted.len()), &json!(3 - wanted.len()))
        );
    }
    scene.stop().await;
}

#[tokio::test]
async fn a_request_holds_no_more_events_than_the_operator_allows() {
    let scene = Scene::new().to(Destination::to(Kind::Splunk).with("batch_events = 7")).start().await;
    scene.send(&numbered("small", 40)).await;
    let received = scene.splunk().arrived(40).await;
    assert_eq!(ids(&received), numbered_ids("small", 40));
    let sizes: Vec<usize> = scene.splunk().requests().iter().map(|request| request.records).collect();
    assert!(sizes.iter().all(|&records| records <= 7) && sizes.len() >= 6, "{sizes:?}");
    scene.stop().await;
}

#[tokio::test]
async fn what_people_typed_and_credentials_do_not_get_past_the_intake() {
    let scene = Scene::new().splunk().start().await;
    let mut event = numbered("private", 1).remove(0);
    event["details"]["prompt"] = json!("my diagnosis is canary-prompt");
    event["details"]["tool_arguments"] = json!({ "iban": "canary-argument" });
    event["details"]["api_key"] = json!("canary-key");
    scene.send(&[event]).await;
    let received = scene.splunk().arrived(1).await;
    let raw = &received[0].raw;
    assert!(!raw.contains("canary"), "{raw}");
    assert!(raw.contains("dlp.pii_blocked") && raw.contains("gpt-4.1"), "the rest is still there: {raw}");
    scene.stop().await;
}

#[tokio::test]
async fn a_request_repeated_with_its_idempotency_key_is_stored_once() {
    let scene = Scene::new().splunk().start().await;
    let body = numbered("once", 3);
    for _ in 0..3 {
        let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", "k-1")];
        let answer = scene.post(&headers, crate::support::events::lines(&body)).await.expect(200);
        assert_eq!(answer.json()["accepted"], 3);
    }
    scene.send(&numbered("last", 1)).await;
    let view = scene.until("splunk", "done", |view| view["ledger"]["delivered"] == 4).await;
    assert_eq!(view["ledger"]["accepted"], 4);
    assert_eq!(scene.splunk().totals().records, 4);
    scene.stop().await;
}

/// Datadog says 202 to events older than 18 hours and drops them, so the host must not send them.
#[tokio::test]
async fn an_event_too_old_for_the_siem_becomes_a_dead_letter_instead_of_vanishing() {
    let scene = Scene::new().splunk().datadog().start().await;
    let mut old = numbered("old", 1);
    old[0]["timestamp"] = json!("2026-01-01T00:00:00Z");
    scene.send(&old).await;
    scene.send(&numbered("new", 1)).await;
    assert_eq!(ids(&scene.splunk().arrived(2).await), ["new-0", "old-0"], "Splunk takes events of any age");
    let view = scene.until("datadog", "done", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!(view["ledger"]["dead_lettered"], 1, "{view:#}");
    assert_eq!(ids(&scene.datadog().received()), ["new-0"]);
    let letters = scene.ask(&["dead-letters", "list", "--json"]).await.expect(0).json();
    assert_eq!(letters[0]["destination"], "acme/datadog");
    scene.stop().await;
}

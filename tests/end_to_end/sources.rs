//! The host gets events itself: from files that grow, rotate and outlive a kill.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::support::events::{lines, numbered};
use crate::support::{Scene, get, ids, output, spawn};

fn append(path: &Path, text: &str) {
    let mut file = File::options().create(true).append(true).open(path).expect("a file");
    file.write_all(text.as_bytes()).expect("a written file");
}

fn request_ids(events: &[Value]) -> Vec<String> {
    let mut ids: Vec<String> =
        events.iter().map(|event| event["request_id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

/// A scene whose host follows `logs/*.jsonl`.
async fn following() -> Scene {
    let stage = Scene::new().splunk().set().await;
    fs::create_dir(stage.path("logs")).expect("a folder");
    stage.edit(|text| {
        format!(
            "{text}\n[[source]]\nname = \"tail\"\nkind = \"file\"\norganization = \"acme\"\npath = \"logs/*.jsonl\"\n"
        )
    });
    stage.start(None).await
}

#[tokio::test]
async fn a_host_that_is_killed_while_it_follows_files_delivers_every_line_once() {
    let mut scene = following().await;
    let events = numbered("line", 12_000);
    let (log, rotated) = (scene.path("logs/app.jsonl"), scene.path("logs/app.jsonl.1"));
    for (round, portion) in events.chunks(3_000).enumerate() {
        append(&log, &lines(portion));
        // In the middle of this portion, most likely; each time somewhere else.
        scene.splunk().arrived(round * 3_000 + 1).await;
        scene.host.kill().await;
        if round == 1 {
            fs::rename(&log, &rotated).expect("a renamed file");
        }
        append(&log, "this is no event\n");
        scene.restart().await;
    }
    // Splunk may get a batch twice from a host that was killed; the store has each line once.
    scene
        .until("splunk", "done", |view| {
            view["ledger"]["waiting"] == 0 && view["ledger"]["accepted"] == events.len()
        })
        .await;
    let mut arrived = ids(&scene.splunk().received());
    arrived.dedup();
    assert_eq!(arrived, request_ids(&events));
    scene.stop().await;
}

#[tokio::test]
async fn what_a_followed_file_holds_that_is_no_event_is_logged_with_its_place_and_counted() {
    let scene = following().await;
    append(&scene.path("logs/app.jsonl"), &format!("{}oops\n", lines(&numbered("line", 2))));
    scene.splunk().arrived(2).await;
    let told = |entry: &crate::support::Entry| entry.message.starts_with("passed over");
    let line = scene.host.log.wait(0, "a refused line", told).await;
    assert!(line.field("place").contains("/logs/app.jsonl at byte "), "{line:?}");
    let metrics = get(scene.host.admin, "/metrics").await.expect(200).text;
    for sample in [
        "siemaphore_intake_accepted_events_total{source=\"tail\"} 2",
        "siemaphore_intake_refused_events_total{source=\"tail\",reason=\"not-json\"} 1",
        "siemaphore_source_up{source=\"tail\",kind=\"file\"} 1",
        "siemaphore_source_lag_bytes{source=\"tail\",kind=\"file\"} 0",
    ] {
        assert!(metrics.contains(sample), "no {sample} in {metrics}");
    }
    scene.stop().await;
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named_before_the_host_starts() {
    let stage = Scene::new().splunk().set().await;
    stage.edit(|text| {
        format!("{text}\n[[source]]\nname = \"tail\"\nkind = \"file\"\npath = \"logs/*.jsonl\"\n")
    });
    let configuration = stage.configuration();
    let configuration = configuration.to_str().expect("a path in UTF-8");
    let checked = output(spawn(&["check", "--config", configuration])).await;
    checked.expect(2).shows(&[
        "cannot read the folder",
        "/logs",
        "create the folder; files in it may come later",
    ]);
    fs::create_dir(stage.path("logs")).expect("a folder");
    output(spawn(&["check", "--config", configuration])).await.expect(0);
    let doctor = output(spawn(&["doctor", "--config", configuration])).await;
    doctor.shows(&["no file in", "matches yet"]);
}

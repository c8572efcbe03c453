//! What goes out of a store as a whole: exports that can be sent again, and backups that can be started from.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::support::events::{numbered, numbered_ids};
use crate::support::{Scene, ids, keys, run};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn request_ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|line| line["event"]["request_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_export_has_every_event_in_order_and_can_be_sent_again_with_the_same_keys() {
    let scene = Scene::new().splunk().start().await;
    for part in 0..3 {
        scene.send(&numbered(&format!("part-{part}"), 10)).await;
    }
    scene.splunk().arrived(30).await;
    let file = scene.path("events.jsonl");
    let path = file.to_str().unwrap();
    scene.ask(&["export", "--since", "1h", "--out", path]).await.expect(0).shows(&["30 events", path]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let exported = lines(&fs::read_to_string(&file).unwrap());
    let expected: Vec<String> =
        (0..3).flat_map(|part| (0..10).map(move |number| format!("part-{part}-{number}"))).collect();
    assert_eq!(request_ids(&exported), expected);
    let head = format!(
        "{} export --since 1h --config {} | head -1",
        env!("CARGO_BIN_EXE_siemaphore"),
        scene.configuration().display()
    );
    let head = tokio::process::Command::new("sh").args(["-c", &head]).output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&head.stderr).matches("error").count(), 0, "{head:?}");
    let envelope = &exported[0]["siemaphore"];
    assert_eq!((&envelope["organization"], &envelope["producer"]), (&"acme".into(), &"aisg".into()));

    let (to, token) = (format!("http://{}", scene.host.intake), scene.path("source.secret"));
    let token = format!("file:{}", token.display());
    run(&["send", path, "--to", &to, "--token", &token]).await.expect(0).shows(&["30 of 30"]);
    let received = scene.splunk().arrived(60).await;
    let distinct: BTreeSet<String> = keys(&received).into_iter().collect();
    let exported: BTreeSet<String> =
        exported.iter().map(|line| line["siemaphore"]["event_key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(distinct, exported, "the SIEM can tell that they are the same events");
    scene.stop().await;
}

#[tokio::test]
async fn an_export_is_bounded_by_time_and_organisation_and_needs_no_host() {
    let mut scene = Scene::new().splunk().start().await;
    scene.send(&numbered("bounded", 5)).await;
    scene.splunk().arrived(5).await;
    scene.host.terminate().await;
    let count = async |arguments: &[&str]| {
        let exported = scene.ask(&[&["export"], arguments].concat()).await.expect(0);
        lines(&exported.stdout).len()
    };
    assert_eq!(count(&["--since", "1970-01-01"]).await, 5);
    assert_eq!(count(&["--since", "1970-01-01", "--organization", "acme"]).await, 5);
    assert_eq!(count(&["--since", "1970-01-01", "--until", "1h"]).await, 0);
    let file = scene.path("nothing.jsonl");
    let refused = async |arguments: &[&str], told: &[&str]| {
        let out = ["export", "--out", file.to_str().unwrap()];
        scene.ask(&[&out[..], arguments].concat()).await.expect(1).shows(told);
        assert!(!file.exists(), "something was written for {arguments:?}");
    };
    let unknown = ["--since", "1970-01-01", "--organization", "others"];
    refused(&unknown, &["no organisation `others`", "there are: acme"]).await;
    refused(&["--since", "2200-01-01"], &["2200-01-01T00:00:00Z", "still to come", "hint: "]).await;
    refused(&["--since", "1h", "--until", "2h"], &["nothing in between", "hint: "]).await;
    let wrong = scene.ask(&["export", "--since", "yesterday"]).await.expect(2);
    wrong.shows(&["24h", "2026-11-21"]);
    scene.restart().await;
    scene.stop().await;
}

#[tokio::test]
async fn what_is_damaged_is_told_at_the_end_and_saved_and_the_rest_is_exported() {
    let mut scene = Scene::new().splunk().start().await;
    for part in 0..3 {
        scene.send(&numbered(&format!("part-{part}"), 4)).await;
    }
    scene.splunk().arrived(12).await;
    scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await;
    scene.host.terminate().await;
    let store = Connection::open(scene.path("state/store/store.db")).unwrap();
    let damage = "UPDATE block_data SET data = CAST(x'00' || substr(data, 2) AS BLOB) WHERE first = \
                  (SELECT first FROM blocks ORDER BY first LIMIT 1 OFFSET 1)";
    assert_eq!(store.execute(damage, []).unwrap(), 1);
    drop(store);
    scene.restart().await;

    let (file, folder) = (scene.path("events.jsonl"), scene.path("damaged"));
    let command =
        ["export", "--since", "1h", "--out", file.to_str().unwrap(), "--damaged", folder.to_str().unwrap()];
    let exported = scene.ask(&command).await.expect(1);
    exported.shows(&["8 events", "missing: 4 events of acme from position"]);
    let left = lines(&fs::read_to_string(&file).unwrap());
    assert_eq!(request_ids(&left)[3..5], ["part-0-3", "part-2-0"]);
    let saved: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(saved.len(), 1, "{saved:?}");
    assert!(saved[0].display().to_string().ends_with(".zst") && fs::metadata(&saved[0]).unwrap().len() > 10);
    scene.stop().await;
}

#[tokio::test]
async fn a_reader_that_stops_costs_the_host_nothing_but_its_connection() {
    let mut scene = Scene::new().splunk().start().await;
    for part in 0..20 {
        scene.send(&numbered(&format!("stalled-{part}"), 2_000)).await;
    }
    scene.splunk().arrived(40_000).await;
    let before = scene.host.peak_memory_mib();
    let mut stalled = Vec::new();
    for _ in 0..8 {
        let mut stream = UnixStream::connect(scene.path("state/control.sock")).await.unwrap();
        let request = "GET /v1/events/export?since_ms=0 HTTP/1.1\r\nhost: siemaphore\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut beginning = [0; 4096];
        stream.read_exact(&mut beginning).await.unwrap();
        assert!(beginning.starts_with(b"HTTP/1.1 200"));
        stalled.push(stream);
    }
    // 40,000 events are more than 20 MiB as lines; eight whole answers would show.
    let grown = scene.host.peak_memory_mib() - before;
    assert!(grown < 64, "the host grew by {grown} MiB");
    // Nobody's snapshot keeps the write-ahead log from being emptied.
    for part in 0..10 {
        scene.send(&numbered(&format!("after-{part}"), 2_000)).await;
    }
    scene.splunk().arrived(60_000).await;
    let journal = fs::metadata(scene.path("state/store/store.db-wal")).unwrap().len();
    assert!(journal < 32 << 20, "the write-ahead log has {journal} bytes");
    // Nor does it keep the host from stopping.
    let start = Instant::now();
    assert!(scene.host.terminate().await.success());
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    drop(stalled);
    scene.restart().await;
    scene.stop().await;
}

#[tokio::test]
async fn a_backup_of_a_running_host_starts_as_a_store_of_its_own() {
    let mut scene = Scene::new().splunk().start().await;
    scene.send(&numbered("kept", 6)).await;
    scene.splunk().arrived(6).await;
    let before =
        scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await["ledger"].clone();
    let file = scene.path("copy.db");
    let path = file.to_str().unwrap();
    scene.ask(&["backup", path]).await.expect(0).shows(&[
        path,
        "6 stored events",
        "to restore",
        "install -m 600",
    ]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    scene
        .ask(&["backup", path])
        .await
        .expect(1)
        .shows(&["copy.db is there already", "hint: it is not overwritten"]);
    let nowhere = scene.ask(&["backup", "/nonexistent/copy.db"]).await.expect(1);
    nowhere.shows(&["/nonexistent/copy.db cannot be written", "hint: make the folder first"]);

    // What comes after the copy is not in it.
    scene.send(&numbered("later", 2)).await;
    scene.splunk().arrived(8).await;
    scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await;
    scene.host.terminate().await;
    let alone = scene.path("alone.db");
    let copied = scene.ask(&["backup", alone.to_str().unwrap(), "--json"]).await.expect(0).json();
    assert_eq!(copied["events"], 8, "{copied:#}");

    let store = scene.path("state/store");
    for log in ["store.db-wal", "store.db-shm"] {
        fs::remove_file(store.join(log)).ok();
    }
    fs::copy(&file, store.join("store.db")).unwrap();
    scene.restart().await;
    assert_eq!(scene.destination("splunk").await["ledger"], before);
    scene.send(&numbered("fresh", 1)).await;
    assert_eq!(scene.splunk().arrived(9).await.len(), 9);
    assert!(ids(&scene.splunk().received()).contains(&numbered_ids("fresh", 1)[0]));
    scene.stop().await;
}

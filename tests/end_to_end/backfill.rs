//! A large file is sent to a running host, and what is broken off is finished.

use std::fs;
use std::io::Write;

use crate::support::events::{lines, numbered};
use crate::support::{Scene, output, run, spawn};

#[tokio::test]
async fn a_send_that_was_killed_goes_on_where_it_was_and_stores_nothing_twice() {
    let scene = Scene::new().splunk().start().await;
    let events = numbered("backfill", 12_000);
    let file = scene.path("events.jsonl.gz");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines(&events).as_bytes()).expect("compressed");
    fs::write(&file, gzip.finish().expect("compressed")).expect("a file");

    let to = format!("http://{}", scene.host.intake);
    let token = format!("file:{}", scene.path("source.secret").display());
    let file = file.to_str().expect("a path in UTF-8").to_owned();
    let send = ["send", &file, "--to", &to, "--token", &token];
    // Slow enough that it is killed in the middle.
    let mut first = spawn(&[&send[..], &["--rate", "500"]].concat());
    scene.splunk().arrived(1_500).await;
    first.kill().await.expect("it is killed");
    let noted = fs::read_to_string(format!("{file}.siemaphore-send")).expect("what was confirmed is noted");
    assert!(noted.contains("\"batch_events\":500"), "{noted}");

    let second = output(spawn(&send)).await.expect(0);
    second.shows(&["going on behind ", "had been sent by an earlier run"]);
    assert!(!fs::exists(format!("{file}.siemaphore-send")).expect("a folder"), "it is finished");
    let view = scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!(view["ledger"]["accepted"], events.len());
    scene.stop().await;
}

#[tokio::test]
async fn a_file_that_is_sent_twice_is_stored_once_and_said_to_be_known_until_it_is_wanted_again() {
    let scene = Scene::new().splunk().start().await;
    let file = scene.path("events.jsonl");
    fs::write(&file, lines(&numbered("twice", 3))).expect("a file");
    let to = format!("http://{}", scene.host.intake);
    let token = format!("file:{}", scene.path("source.secret").display());
    let file = file.to_str().expect("a path in UTF-8");
    let send =
        async |more: &[&str]| run(&[&["send", file, "--to", &to, "--token", &token], more].concat()).await;

    send(&[]).await.expect(0).shows(&["3 of 3 events accepted, 0 values redacted"]);
    for more in [&[][..], &["--from-the-beginning"]] {
        let known = ["3 of 3 events accepted: 0 new, 3 already known", "nothing was stored", "`--again`"];
        send(more).await.expect(0).shows(&known);
    }
    let told = send(&["--json"]).await.expect(0).json();
    assert_eq!((&told["new"], &told["already_known"], &told["accepted"]), (&0.into(), &3.into(), &3.into()));
    assert_eq!(scene.destination("splunk").await["ledger"]["accepted"], 3);

    let again = send(&["--again", "--json"]).await.expect(0).json();
    assert_eq!((&again["new"], &again["already_known"]), (&3.into(), &0.into()));
    assert_eq!(scene.splunk().arrived(6).await.len(), 6);
    assert_eq!(scene.destination("splunk").await["ledger"]["accepted"], 6);
    scene.stop().await;
}

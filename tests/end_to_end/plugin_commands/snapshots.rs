//! A project's samples, and the requests that they shall give.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::Workshop;
use crate::support::formatter::{bundled, treacherous};
use crate::support::{run, run_in};

const BLOCKED: &str = r#"{"event_type":"dlp.pii_blocked","project_id":"p","request_id":"r-1","severity":"high","source":"aisg"}"#;

/// A project whose formatter is the built-in one for Splunk.
fn project() -> Workshop {
    let shop = Workshop::new();
    shop.file("dist/acme.wasm", bundled("splunk"));
    shop.file("settings.json", r#"{"index":"security"}"#);
    shop.file("events/blocked.json", BLOCKED);
    shop.file("events/many.json", format!("[{BLOCKED},\n{BLOCKED}]"));
    shop
}

#[tokio::test]
async fn snapshots_are_written_kept_and_compared_place_by_place() {
    let shop = project();
    let test =
        async |arguments: &[&str]| run_in(shop.folder(), &[&["plugin", "test"], arguments].concat()).await;
    test(&[]).await.expect(1).shows(&[
        "missing    events/blocked.json",
        "no snapshots/blocked.txt",
        "--update",
    ]);
    assert!(!shop.path("snapshots").exists(), "only --update writes");
    test(&["--update"]).await.expect(0).shows(&["2 samples: 0 the same, 2 snapshots written"]);
    let snapshot = fs::read_to_string(shop.path("snapshots/blocked.txt")).unwrap();
    for part in
        ["POST https://", "Authorization: Splunk [secret]", "\"index\":\"security\"", "\"time\":946684800"]
    {
        assert!(snapshot.contains(part), "no {part} in {snapshot}");
    }
    test(&[]).await.expect(0).shows(&["same       events/many.json", "2 samples: 2 the same"]);

    shop.file("settings.json", r#"{"index":"elsewhere"}"#);
    test(&[])
        .await
        .expect(1)
        .shows(&["different  events/blocked.json", "/index  \"security\" -> \"elsewhere\""]);
    let folder = shop.folder().to_str().unwrap();
    let told = run(&["plugin", "test", folder, "--json"]).await.expect(1).json();
    assert_eq!(told["samples"][0]["state"], "different");
    assert_eq!(told["samples"][0]["changes"][0]["new"], json!("elsewhere"));
    test(&["--update"]).await.expect(0);
    test(&[]).await.expect(0);

    fs::remove_file(shop.path("events/many.json")).unwrap();
    test(&[]).await.expect(1).shows(&["extra      snapshots/many.txt"]);
    test(&["--update"]).await.expect(0).shows(&["removed"]);
    assert!(!shop.path("snapshots/many.txt").exists());
    test(&[]).await.expect(0);
}

#[tokio::test]
async fn a_file_of_lines_is_a_sample_too_and_each_sample_has_a_snapshot_of_its_own() {
    let shop = project();
    shop.file("events/lines.jsonl", format!("{BLOCKED}\n{BLOCKED}\n{BLOCKED}\n"));
    let update = async || run_in(shop.folder(), &["plugin", "test", "--update"]).await;
    update().await.expect(0).shows(&["written    events/lines.jsonl", "3 snapshots written"]);
    let snapshot = fs::read_to_string(shop.path("snapshots/lines.txt")).unwrap();
    assert_eq!(snapshot.matches("\"sourcetype\"").count(), 3, "{snapshot}");
    shop.file("events/lines.json", BLOCKED);
    update().await.expect(1).shows(&["lines.json and ", "lines.jsonl would share ", "another name"]);
}

#[tokio::test]
async fn a_component_of_another_version_than_its_project_is_told() {
    let shop = project();
    run_in(shop.folder(), &["plugin", "test", "--update"]).await.expect(0);
    for (version, code) in [("0.0.7", 1), (env!("CARGO_PKG_VERSION"), 0)] {
        shop.file("package.json", json!({ "name": "acme", "version": version }).to_string());
        // It is not newer than the component.
        let file = File::options().write(true).open(shop.path("package.json")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let tested = run_in(shop.folder(), &["plugin", "test"]).await.expect(code);
        if code == 1 {
            tested.shows(&["package.json that it is 0.0.7", "hint: "]);
        }
    }
}

#[tokio::test]
async fn an_event_that_would_not_be_sent_is_part_of_its_snapshot() {
    let shop = project();
    shop.file("events/refused.json", "[7]");
    shop.file("events/mixed.json", format!("[{BLOCKED}, 7]"));
    let update = run_in(shop.folder(), &["plugin", "test", "--update"]).await.expect(0);
    update.shows(&["written    events/mixed.json"]);
    for sample in ["refused", "mixed"] {
        let snapshot = fs::read_to_string(shop.path(&format!("snapshots/{sample}.txt"))).unwrap();
        assert!(snapshot.contains("would not be sent: "), "{snapshot}");
    }
    run_in(shop.folder(), &["plugin", "test"]).await.expect(0);
}

#[tokio::test]
async fn a_formatter_that_breaks_on_one_event_is_told_which_and_the_other_samples_are_tested() {
    let shop = project();
    shop.file("dist/acme.wasm", treacherous("fine"));
    fs::remove_file(shop.path("settings.json")).unwrap();
    let poison = BLOCKED.replace("r-1", "~1");
    shop.file("events/broken.json", format!("[{BLOCKED}, 7, {poison}]"));
    let update = run_in(shop.folder(), &["plugin", "test", "--update"]).await.expect(1);
    update.shows(&[
        "failed     events/broken.json",
        "written    events/many.json",
        "3 samples: 0 the same, 2 snapshots written, 1 failed",
    ]);
    assert!(!shop.path("snapshots/broken.txt").exists(), "a defect is no snapshot");
    let test = run_in(shop.folder(), &["plugin", "test"]).await.expect(1);
    test.shows(&["2 the same, 1 failed", "would not be sent: formatter `acme` trapped (", "hint: "]);

    let [component, events] =
        ["dist/acme.wasm", "events/broken.json"].map(|name| shop.path(name).display().to_string());
    let told = run(&["plugin", "format", &component, &events, "--json"]).await.expect(1).json();
    assert_eq!(told["requests"].as_array().unwrap().len(), 1, "the others are formatted");
    let [refused, broken] = told["rejected"].as_array().unwrap().as_slice() else { panic!("{told}") };
    assert_eq!((&refused["event"], &refused["event_key"]), (&json!(2), &Value::Null));
    assert_eq!(broken["event"], 3, "its place in the file, beside one that is refused at the door");
    let key = broken["event_key"].as_str().unwrap();
    test.shows(&[&format!("event 3 ({key}) would not be sent")]);
}

#[tokio::test]
async fn what_a_project_lacks_is_said_with_what_to_do() {
    let shop = project();
    run_in(shop.folder(), &["plugin", "test", "--update"]).await.expect(0);
    let test = async |told: &[&str]| {
        run_in(shop.folder(), &["plugin", "test"]).await.expect(1).shows(told);
    };
    shop.file("src/lib.rs", "");
    let built = SystemTime::now() - Duration::from_secs(60);
    File::options().write(true).open(shop.path("dist/acme.wasm")).unwrap().set_modified(built).unwrap();
    for name in
        ["src/lib.test.js", "src/test_formatter.py", "src/__pycache__/formatter.pyc", "src/.lib.rs.swp"]
    {
        shop.file(name, "");
    }
    let outdated = ["dist/acme.wasm is older than src/lib.rs", "run `siemaphore plugin build`"];
    test(&outdated).await;
    test(&["2 samples: 2 the same"]).await;
    run_in(shop.folder(), &["plugin", "test", "--update"]).await.expect(1).shows(&outdated);
    fs::remove_file(shop.path("src/lib.rs")).unwrap();
    run_in(shop.folder(), &["plugin", "test"]).await.expect(0);
    shop.file("settings.json", "[]");
    test(&["settings.json is not one JSON object"]).await;
    shop.file("settings.json", r#"{"index":7}"#);
    test(&["events/blocked.json", "index"]).await;
    shop.file("dist/old.wasm", bundled("splunk"));
    test(&["dist holds several"]).await;
    fs::remove_dir_all(shop.path("dist")).unwrap();
    test(&["dist holds no `.wasm` file", "siemaphore plugin build"]).await;
    fs::remove_dir_all(shop.path("events")).unwrap();
    test(&["there are no samples in events", "hint: "]).await;
}

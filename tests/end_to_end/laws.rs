//! `siemaphore plugin check`, as a formatter's author uses it, and the promise that the host and its clock change no byte.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::guests::asks_for_another_path;
use crate::support::formatter::{broken_on_events, bundled, handmade};
use crate::support::{Output, run, run_in_environment, run_with_input};

fn file(folder: &TempDir, name: &str, component: &[u8]) -> String {
    let path = folder.path().join(name);
    fs::write(&path, component).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The states of the laws, by name.
fn state<'a>(checked: &'a Value, law: &str) -> &'a Value {
    let mut laws = checked["laws"].as_array().unwrap().iter();
    &laws.find(|checked| checked["law"] == law).unwrap_or_else(|| panic!("{law}: {checked:#}"))["state"]
}

#[tokio::test]
async fn a_lawful_formatter_passes_without_a_host_and_shows_what_it_uses() {
    let folder = TempDir::new().unwrap();
    for plugin in [file(&folder, "mine.wasm", &handmade("made by hand")), "splunk".to_owned()] {
        let table = run(&["plugin", "check", &plugin]).await.expect(0);
        table.shows(&[
            "siemaphore:formatter@1.0.0",
            "imports: ",
            "batch-split",
            "holds",
            "CPU time",
            "64.0 MiB",
        ]);
        assert!(!table.stdout.contains("broken"), "{}", table.stdout);
        let checked = run(&["plugin", "check", &plugin, "--json"]).await.expect(0).json();
        assert_eq!(checked["lawful"], true, "{checked:#}");
        for law in
            ["total", "honest-records", "bounded", "batch-split", "deterministic", "settings", "answers"]
        {
            assert_eq!(state(&checked, law), "holds", "{checked:#}");
        }
        let most = |figure: &str| checked["worst_call"][figure].as_u64().unwrap();
        assert!(
            most("cpu_us") > 0 && most("memory_bytes") > 1 << 20 && most("output_bytes") > 0,
            "{checked:#}"
        );
        assert_eq!(checked["limits"]["memory_bytes"], 64 << 20);
    }
}

#[tokio::test]
async fn a_lawbreaker_is_told_which_event_shows_it_and_can_look_at_the_event() {
    let folder = TempDir::new().unwrap();
    let plugin = file(&folder, "broken.wasm", &broken_on_events());
    let shown = run(&["plugin", "check", &plugin]).await.expect(1);
    shown.shows(&["it breaks the law `total`: event `", "hint: ", "not checked"]);
    let checked = run(&["plugin", "check", &plugin, "--json"]).await.expect(1).json();
    assert_eq!((&checked["lawful"], state(&checked, "total")), (&json!(false), &json!("broken")));
    assert_eq!(state(&checked, "batch-split"), "not checked");
    let laws = checked["laws"].as_array().unwrap();
    let broken = &laws.iter().find(|law| law["law"] == "total").unwrap()["broken"][0];
    let event = broken["event"].as_str().unwrap();
    shown.shows(&[&format!("siemaphore plugin corpus {event}")]);
    let event = run(&["plugin", "corpus", event]).await.expect(0).stdout;
    let format = ["plugin", "format", &plugin, "-", "--endpoint", "https://siem.example.com"];
    run_with_input(&format, &event).await.expect(1).shows(&["trapped"]);
    run_with_input(&["plugin", "format", "splunk", "-"], &event).await.expect(0);
}

#[tokio::test]
async fn every_event_of_the_corpus_can_be_listed_and_printed() {
    let listed = run(&["plugin", "corpus", "--json"]).await.expect(0).json();
    assert!(listed.as_array().unwrap().len() > 200);
    run(&["plugin", "corpus"]).await.expect(0).shows(&["texts/right-to-left", "aisg/dlp-pii-blocked"]);
    let printed = run(&["plugin", "corpus", "aisg/dlp-pii-blocked"]).await.expect(0).json();
    assert_eq!(printed["event_type"], "dlp.pii_blocked");
    run(&["plugin", "corpus", "aisg/none"]).await.expect(1).shows(&["no event `aisg/none`", "plugin corpus"]);
}

#[tokio::test]
async fn a_file_that_is_no_formatter_is_refused_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    let module = wat::parse_str("(module)").unwrap();
    for (name, component, expected) in [
        ("text.wasm", &b"(module)"[..], "put a `.wasm` component there"),
        ("module.wasm", &module, "wasm-tools component new"),
        ("half.wasm", &bundled("splunk")[..20_000], "copy the file again"),
    ] {
        let plugin = file(&folder, name, component);
        run(&["plugin", "check", &plugin]).await.expect(1).shows(&["hint: ", expected]);
        let checked = run(&["plugin", "check", &plugin, "--json"]).await.expect(1).json();
        assert_eq!(checked["lawful"], false);
        assert!(checked["hint"].as_str().unwrap().contains(expected), "{checked:#}");
    }
    run(&["plugin", "check", "nowhere.wasm"]).await.expect(1).shows(&["neither a file", "built-in"]);
}

#[tokio::test]
async fn other_settings_than_the_example_can_be_checked() {
    let settings = r#"{"index":"main","sourcetype":"ai"}"#;
    run(&["plugin", "check", "splunk", "--settings", settings]).await.expect(0).shows(&["holds"]);
    let refused = run(&["plugin", "check", "splunk", "--settings", r#"{"index":7}"#]).await.expect(1);
    refused.shows(&["it breaks the law `settings`", "/index", r#"the settings are {"index":7}"#]);
}

#[tokio::test]
async fn other_limits_than_the_usual_can_be_checked() {
    let limits = ["plugin", "check", "splunk", "--memory", "128MiB", "--cpu", "3s"];
    run(&limits).await.expect(0).shows(&["128.0 MiB", "3.0 s"]);
    // What the largest batch needs is more than it may have here.
    let checked = run(&["plugin", "check", "splunk", "--memory", "6MiB", "--json"]).await.expect(1).json();
    assert_eq!((state(&checked, "bounded"), state(&checked, "total")), (&json!("broken"), &json!("holds")));
    assert_eq!(checked["limits"]["memory_bytes"], 6 << 20);
}

#[tokio::test]
async fn a_request_that_the_host_would_not_make_is_told() {
    let folder = TempDir::new().unwrap();
    let plugin = file(&folder, "climber.wasm", &asks_for_another_path::component());
    let shown = run(&["plugin", "check", &plugin]).await.expect(1);
    shown.shows(&["its request would not be made", ".."]);
    let checked = run(&["plugin", "check", &plugin, "--json"]).await.expect(1).json();
    assert_eq!((state(&checked, "total"), &checked["lawful"]), (&json!("holds"), &json!(false)));
}

/// Ten years on, for whoever asks the C library for the time of day.
fn another_clock(folder: &Path) -> PathBuf {
    let library = folder.join("clock.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/end_to_end/support/clock.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

/// These say when the host received an event, which is not the same event at another time.
const TELL_THE_TIME_OF_RECEIPT: [&str; 2] = ["ocsf", "otlp"];

#[tokio::test]
async fn another_clock_time_zone_locale_and_host_make_the_same_bytes() {
    let folder = TempDir::new().unwrap();
    let library = another_clock(folder.path()).into_os_string();
    let elsewhere: [(&str, OsString); 7] = [
        ("LD_PRELOAD", library),
        ("TZ", "Pacific/Kiritimati".into()),
        ("LANG", "tr_TR.UTF-8".into()),
        ("LC_ALL", "tr_TR.UTF-8".into()),
        ("HOSTNAME", "another-host".into()),
        ("HOME", "/nonexistent".into()),
        ("USER", "somebody".into()),
    ];
    let mut events = Vec::new();
    for sample in siemaphore_producers::samples() {
        events.push(sample.raw.to_string());
    }
    let events = events.join("\n");
    let input = file(&folder, "events.jsonl", events.as_bytes());
    let undated = file(&folder, "undated.json", br#"{"event_id":"1"}"#);
    let bytes = async |plugin: &str, events: &str, environment: &[(&str, OsString)]| {
        let Output { code, stdout, stderr } =
            run_in_environment(&["plugin", "format", plugin, events], environment).await;
        assert_eq!(code, 0, "{stderr}");
        stdout
    };
    // The other clock is one: an event without a time gets that of its receipt.
    let received = bytes("splunk", &undated, &elsewhere).await;
    assert_ne!(received, bytes("splunk", &undated, &[]).await);
    let bundled = siemaphore_bundle::formatters().iter().map(|one| one.name);
    for plugin in bundled.filter(|name| !TELL_THE_TIME_OF_RECEIPT.contains(name)).step_by(3) {
        let here = bytes(plugin, &input, &[]).await;
        assert!(here.len() > 1_000, "{here}");
        assert_eq!(here, bytes(plugin, &input, &elsewhere).await, "{plugin}");
    }
    assert!(!Path::new("/nonexistent").exists(), "a home that is not there is not made");
}

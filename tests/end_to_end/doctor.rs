//! The doctor: everything in order, and each thing that is not, with its fix.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::events::numbered;
use crate::support::formatter::handmade;
use crate::support::{Destination, Kind, Scene, TOKEN, run};

/// One check of a report.
#[track_caller]
fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut checks = report["checks"].as_array().unwrap().iter();
    checks.find(|check| check["check"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

#[track_caller]
fn expect(report: &Value, name: &str, state: &str, words: &[&str]) {
    let check = check(report, name);
    assert_eq!(check["state"], state, "{check:#}");
    let text = format!("{} {}", check["finding"], check["fix"]);
    words.iter().for_each(|word| assert!(text.contains(word), "no `{word}` in {check:#}"));
    assert_eq!(check["fix"].is_null(), state == "ok", "each finding has its fix: {check:#}");
}

#[tokio::test]
async fn a_host_in_order_passes_every_check_and_so_does_its_store_without_it() {
    let mut scene = Scene::new().splunk().datadog().sentinel().start().await;
    for has_host in [true, false] {
        let report = scene.ask(&["doctor", "--json"]).await.expect(0).json();
        assert_eq!(report["ok"], true, "{report:#}");
        for name in ["splunk", "datadog", "sentinel"] {
            expect(&report, &format!("tls acme/{name}"), "ok", &["TLS 1.3", "issuer CN=", "SHA-256"]);
            expect(&report, &format!("name acme/{name}"), "ok", &["127.0.0.1"]);
            expect(&report, &format!("plugin {name}"), "ok", &["active"]);
        }
        for (name, probe) in [("splunk", "GET https://"), ("sentinel", "POST https://")] {
            expect(
                &report,
                &format!("auth acme/{name}"),
                "ok",
                &["https://", probe, "is answered with", &format!("siemaphore destination test acme/{name}")],
            );
        }
        expect(&report, "auth acme/datadog", "ok", &["no probe", "destination test acme/datadog"]);
        expect(&report, "clock", "ok", &["3 destinations"]);
        expect(&report, "configuration", "ok", &["destinations: 3"]);
        expect(&report, "ledger", "ok", &["3 destinations"]);
        expect(&report, "store", "ok", &[if has_host { "the running host" } else { "no host runs" }]);
        let shown = scene.ask(&["doctor"]).await.expect(0);
        shown.shows(&["check", "state", "acme/splunk", "not tried: the formatter has no probe"]);
        if has_host {
            scene.host.terminate().await;
        }
    }
    for siem in [scene.splunk(), scene.datadog(), scene.sentinel()] {
        assert_eq!(siem.totals().records, 0, "a doctor sends no event");
    }
    scene.restart().await;
    scene.stop().await;
}

#[tokio::test]
async fn a_wrong_secret_and_an_untrusted_certificate_are_found_before_an_event_is_there() {
    let scene = Scene::new()
        .to(Destination::to(Kind::Splunk).trusting_another_authority())
        .to(Destination::to(Kind::Sentinel).with_secret("wrong-canary-secret"))
        .start()
        .await;
    let output = scene.ask(&["doctor", "--json"]).await.expect(1);
    let report = output.json();
    let words = ["authority that is not trusted", "it presents", "SHA-256", "CA file"];
    expect(&report, "connect acme/splunk", "failed", &words);
    expect(&report, "tls acme/sentinel", "ok", &[]);
    expect(&report, "auth acme/sentinel", "failed", &["secret"]);
    let mut told = report["checks"].as_array().unwrap().iter();
    assert!(!told.any(|check| check["check"] == "delivery acme/sentinel"), "{report:#}");
    assert!(!output.stdout.contains("canary") && !output.stdout.contains(TOKEN), "{output:?}");

    scene.send(&numbered("held", 1)).await;
    scene.until("sentinel", "holding", |view| view["status"]["state"] == "holding").await;
    let report = scene.ask(&["doctor", "--json"]).await.expect(1).json();
    expect(&report, "delivery acme/sentinel", "failed", &["holding, ", "secret"]);
    assert_eq!(scene.splunk().totals().requests, 0, "not even a request line was shown to it");
    scene.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_fails_alone() {
    let stage = Scene::new().splunk().datadog().set().await;
    stage.edit(|text| {
        let from = text.find("endpoint = \"https://").unwrap();
        let line = text[from..].lines().next().unwrap().to_owned();
        text.replacen(&line, "endpoint = \"https://127.0.0.1:1\"", 1)
    });
    let file = stage.configuration();
    let report = run(&["doctor", "--json", "--config", file.to_str().unwrap()]).await.expect(1).json();
    expect(&report, "connect acme/splunk", "failed", &["cannot connect", "firewall"]);
    expect(&report, "tls acme/datadog", "ok", &[]);
    expect(&report, "store", "ok", &["the first start makes it"]);
    assert!(!stage.path("state").exists(), "a doctor changes nothing");
}

#[tokio::test]
async fn a_broken_configuration_is_told_with_its_line_and_the_rest_is_checked_all_the_same() {
    let mut scene = Scene::new().splunk().start().await;
    scene.host.terminate().await;
    let file = scene.configuration();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("formatter = \"splunk\"", "formatter = \"splank\"")).unwrap();
    fs::set_permissions(scene.path("state"), fs::Permissions::from_mode(0o777)).unwrap();
    let report = scene.ask(&["doctor", "--json"]).await.expect(1).json();
    expect(&report, "configuration", "failed", &["line ", "splank", "did you mean"]);
    expect(&report, "state folder", "failed", &["777", "chmod 700"]);
    expect(&report, "store", "ok", &[]);
    expect(&report, "tls acme/splunk", "ok", &[]);
    expect(&report, "auth acme/splunk", "warning", &["configuration"]);
    fs::write(&file, text).unwrap();
    fs::set_permissions(scene.path("state"), fs::Permissions::from_mode(0o700)).unwrap();
    scene.restart().await;
    scene.stop().await;
}

#[tokio::test]
async fn a_state_folder_that_cannot_be_made_fails_here_and_at_the_start_with_the_same_words() {
    let stage = Scene::new().splunk().set().await;
    let file = stage.configuration();
    let file = file.to_str().unwrap();
    for (state, told) in [
        ("/proc/xx", "cannot be created: parent /proc"),
        ("siemaphore.toml", "siemaphore.toml is not a folder"),
    ] {
        stage.edit(|text| {
            let others = text.lines().filter(|line| !line.starts_with("state = "));
            let others: Vec<&str> = others.collect();
            format!("state = \"{state}\"\n{}\n", others.join("\n"))
        });
        let report = run(&["doctor", "--json", "--config", file]).await.expect(1).json();
        expect(&report, "state folder", "failed", &[told, "set `state`"]);
        run(&["run", "--config", file]).await.expect(1).shows(&[told, "hint: set `state`"]);
    }
}

#[tokio::test]
async fn a_reserve_that_the_disk_does_not_have_is_told_before_the_first_start() {
    let stage = Scene::new().splunk().set().await;
    stage.edit(|text| text.replace("disk_reserve = \"64 MiB\"", "disk_reserve = \"1000 TiB\""));
    let file = stage.configuration();
    let report = run(&["doctor", "--json", "--config", file.to_str().unwrap()]).await.expect(1).json();
    expect(&report, "disk", "failed", &["1000.0 TiB", "disk_reserve"]);
    assert!(!stage.path("state").exists(), "a doctor changes nothing");
}

#[tokio::test]
async fn what_is_no_file_among_the_plugins_is_told_and_so_is_a_state_folder_that_keeps_no_version() {
    let stage = Scene::new().splunk().datadog().plugin("sound.wasm", &handmade("sound")).set().await;
    let config = stage.configuration().display().to_string();
    let doctor = async || run(&["doctor", "--json", "--config", &config]).await.json();
    let report = doctor().await;
    expect(&report, "plugin folder", "ok", &["plugins"]);

    fs::create_dir(stage.path("plugins/nested.wasm")).unwrap();
    std::os::unix::fs::symlink("/nonexistent", stage.path("plugins/nowhere.wasm")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(stage.path("plugins/pipe.wasm")).status().unwrap();
    assert!(made.success());
    fs::create_dir(stage.path("plugins/.hidden.wasm")).unwrap();
    fs::create_dir(stage.path("state")).unwrap();
    fs::set_permissions(stage.path("state"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(stage.path("state/plugins"), "no folder").unwrap();
    // The disabled one's formatter is loaded all the same, and not worth a line of its own.
    stage.edit(|text| text.replacen("name = \"datadog\"", "enabled = false\nname = \"datadog\"", 1));
    let report = doctor().await;
    let strange = ["passes over 3 names", "nested.wasm (a folder)", "pipe.wasm (a pipe)", "nowhere.wasm"];
    expect(&report, "plugin folder", "warning", &strange);
    expect(&report, "kept versions", "warning", &["state/plugins is not a folder", "no way back"]);
    expect(&report, "plugins not in use", "ok", &["datadog"]);
    expect(&report, "plugin splunk", "ok", &["active"]);
    expect(&report, "plugin sound", "ok", &["active"]);
    assert!(!report.to_string().contains("plugin datadog"), "{report:#}");
}

//! Customers' formatters: dropped into a folder, replaced while events flow, refused without harm.

use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::support::events::{numbered, numbered_ids};
use crate::support::formatter::{broken_on_events, bundled, handmade, rebuilt};
use crate::support::{Destination, Entry, Kind, PATIENCE, Scene, SceneBuilder, ids};

/// Delivers to Splunk with the customer's `my-siem.wasm`, which is the bundled component under another name.
fn with_my_siem() -> SceneBuilder {
    Scene::new()
        .plugin("my-siem.wasm", bundled("splunk"))
        .to(Destination::to(Kind::Splunk).formatted_by("my-siem"))
}

fn hex_digest(component: &[u8]) -> String {
    Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_customers_formatter_is_replaced_while_events_flow_and_none_is_lost() {
    let scene = with_my_siem().start().await;
    let before = scene.plugin("my-siem").await;
    assert_eq!(before["state"], "active", "{before:#}");
    assert!(before["digest"].as_str().unwrap().contains(&hex_digest(bundled("splunk"))), "{before:#}");

    let newer = rebuilt(bundled("splunk"), "second build");
    let digest = hex_digest(&newer);
    let mut sent = 0;
    let start = Instant::now();
    scene.install("my-siem.wasm", &newer);
    // Events keep flowing until the new version is the active one, and a little longer.
    let mut extra = 5;
    while extra > 0 {
        scene.send(&numbered(&format!("flow{sent}"), 10)).await;
        sent += 1;
        let plugin = scene.plugin("my-siem").await;
        let swapped = plugin["digest"].as_str().is_some_and(|active| active.contains(&digest));
        extra -= usize::from(swapped);
        assert!(start.elapsed() < PATIENCE, "the new file is not active: {plugin:#}");
    }
    let received = scene.splunk().arrived(10 * sent).await;
    let mut expected: Vec<String> =
        (0..sent).flat_map(|round| numbered_ids(&format!("flow{round}"), 10)).collect();
    expected.sort();
    assert_eq!(ids(&received), expected, "each event once, across the swap");
    let view = scene
        .until("splunk", "on the new version", |view| {
            view["status"]["plugin_digest"].as_str().is_some_and(|active| active.contains(&digest))
        })
        .await;
    assert_eq!(view["status"]["failed_requests"], 0);
    scene.stop().await;
}

#[tokio::test]
async fn a_broken_file_leaves_the_running_version_in_place_and_says_what_is_wrong() {
    let scene = with_my_siem().start().await;
    let before = scene.plugin("my-siem").await;
    for (round, rubbish) in
        [&b"this is not WebAssembly"[..], &bundled("splunk")[..20_000]].into_iter().enumerate()
    {
        let from = scene.host.log.count();
        scene.install("my-siem.wasm", rubbish);
        let about = |line: &Entry| line.text.contains("my-siem") && line.level != "INFO";
        let line = scene.host.log.wait(from, "what is wrong with my-siem", about).await;
        let plugin = scene.until_plugin("my-siem", "faulty", |plugin| !plugin["error"].is_null()).await;
        assert_eq!(plugin["digest"], before["digest"], "{plugin:#}");
        assert_eq!(plugin["state"], "active", "{plugin:#}");
        assert!(!plugin["error"].as_str().unwrap().is_empty(), "{}", line.text);
        scene.ask(&["plugin", "list"]).await.expect(0).shows(&["my-siem:"]);
        scene.send(&numbered(&format!("unharmed{round}"), 5)).await;
        scene.splunk().arrived(5 * (round + 1)).await;
    }
    scene.install("my-siem.wasm", &rebuilt(bundled("splunk"), "mended"));
    scene.until_plugin("my-siem", "mended", |plugin| plugin["error"].is_null()).await;
    scene.stop().await;
}

#[tokio::test]
async fn a_file_with_the_name_of_a_built_in_formatter_is_refused() {
    let scene = Scene::new().plugin("splunk.wasm", &handmade("an impostor")).splunk().start().await;
    let plugin = scene.plugin("splunk").await;
    assert!(plugin["digest"].as_str().unwrap().contains(&hex_digest(bundled("splunk"))), "{plugin:#}");
    let about = |line: &Entry| line.text.contains("splunk.wasm") && line.level != "INFO";
    scene.host.log.wait(0, "a warning about splunk.wasm", about).await;
    scene.send(&numbered("genuine", 1)).await;
    let received = scene.splunk().arrived(1).await;
    assert_eq!(received[0].record["event"]["request_id"], "genuine-0");
    scene.stop().await;
}

#[tokio::test]
async fn a_version_that_wants_another_request_waits_until_the_operator_promotes_it() {
    let by_hand = Destination::to(Kind::Datadog).formatted_by("my-siem").with_only(
        "authentication = { scheme = \"header\", header = \"DD-API-KEY\", secret = \"file:FOLDER/datadog.secret\" }",
    );
    let scene = Scene::new().plugin("my-siem.wasm", &handmade("first")).to(by_hand).start().await;
    scene.send(&numbered("one", 1)).await;
    assert_eq!(scene.datadog().arrived(1).await[0].record["message"], "first");

    // Datadog's own formatter asks for compression and other limits.
    scene.install("my-siem.wasm", bundled("datadog"));
    let digest = hex_digest(bundled("datadog"));
    let waits = |line: &Entry| line.text.contains("plugin promote");
    let line = scene.host.log.wait(0, "a hint to promote", waits).await;
    assert!(line.text.contains("siemaphore plugin promote my-siem"), "{}", line.text);
    scene.send(&numbered("two", 1)).await;
    let received = scene.datadog().arrived(2).await;
    assert_eq!(received[1].record["message"], "first", "the granted request is still the one in use");
    let told =
        ["acme/datadog keeps version", "asks for another request", "siemaphore plugin promote my-siem"];
    for command in [["plugin", "list"], ["destination", "list"]] {
        scene.ask(&command).await.expect(0).shows(&told);
    }
    scene.ask(&["plugin", "list", "--state", "waiting"]).await.expect(0).shows(&["active, waits"]);
    let file = scene.path("my-siem.wasm");
    std::fs::write(&file, bundled("datadog")).unwrap();
    let install = ["plugin", "install", file.to_str().unwrap()];
    scene.ask(&install).await.expect(0).shows(&[&told[..], &["waits "]].concat());
    let installed = scene.ask(&[&install[..], &["--json"]].concat()).await.expect(0).json();
    assert_eq!(installed["state"], "not_adopted", "{installed:#}");
    assert_eq!(installed["destinations"][0]["not_adopted"]["waits_for_promotion"], true, "{installed:#}");
    scene.ask(&["doctor"]).await.expect(0).shows(&["plugin my-siem for acme/datadog", "warning"]);
    scene.measures(&["siemaphore_plugin_waiting{plugin=\"my-siem\"} 1"]).await;

    scene.ask(&["plugin", "promote", "my-siem"]).await.expect(0).shows(&["acme/datadog"]);
    scene
        .until("datadog", "promoted", |view| {
            view["status"]["plugin_digest"].as_str().is_some_and(|active| active.contains(&digest))
        })
        .await;
    scene.measures(&["siemaphore_plugin_waiting{plugin=\"my-siem\"} 0"]).await;
    scene.ask(&install).await.expect(0).shows(&["active "]);
    scene.send(&numbered("three", 1)).await;
    assert_eq!(scene.datadog().arrived(3).await[2].record["message"], "dlp.pii_blocked");
    scene.stop().await;
}

#[tokio::test]
async fn events_that_a_broken_formatter_could_not_format_go_through_its_repaired_version() {
    let by_hand = Destination::to(Kind::Datadog).formatted_by("my-siem").with_only(
        "authentication = { scheme = \"header\", header = \"DD-API-KEY\", secret = \"file:FOLDER/datadog.secret\" }",
    );
    let scene = Scene::new().plugin("my-siem.wasm", &handmade("works")).to(by_hand).splunk().start().await;
    let broken = broken_on_events();
    scene.install("my-siem.wasm", &broken);
    // Either the host finds out before it uses the file, or the file's own batches fail: both are told.
    scene
        .until_plugin("my-siem", "seen", |plugin| {
            !plugin["error"].is_null() || plugin["digest"].as_str().unwrap().contains(&hex_digest(&broken))
        })
        .await;
    scene.send(&numbered("survivor", 20)).await;
    scene.splunk().arrived(20).await;
    scene.install("my-siem.wasm", &handmade("mended"));
    scene
        .until_plugin("my-siem", "mended", |plugin| {
            plugin["error"].is_null()
                && plugin["digest"].as_str().unwrap().contains(&hex_digest(&handmade("mended")))
        })
        .await;
    assert_eq!(scene.datadog().arrived(20).await.len(), 20);
    let view = scene.until("datadog", "settled", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!((&view["ledger"]["delivered"], &view["ledger"]["dead_lettered"]), (&20.into(), &0.into()));
    scene.stop().await;
}

#[tokio::test]
async fn a_file_that_comes_while_the_host_runs_is_listed_and_one_that_goes_does_no_harm() {
    let scene = with_my_siem().start().await;
    assert!(scene.plugin("another").await.is_null());
    scene.install("another.wasm", bundled("sentinel"));
    let plugin = scene.until_plugin("another", "there", |plugin| plugin["state"] == "active").await;
    assert_eq!(plugin["title"], "Microsoft Sentinel", "{plugin:#}");
    std::fs::remove_file(scene.path("plugins/my-siem.wasm")).unwrap();
    scene.ask(&["plugin", "reload"]).await.expect(0);
    scene.send(&numbered("afterwards", 5)).await;
    assert_eq!(ids(&scene.splunk().arrived(5).await), numbered_ids("afterwards", 5));
    scene.stop().await;
}

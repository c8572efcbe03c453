//! Versions of a customer's formatter: replaced a hundred times, sent back, waiting for an operator, over a restart.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use siemaphore_receiver::Received;

use crate::support::Entry;
use crate::support::events::numbered;
use crate::support::formatter::{bundled, digest, handmade, rebuilt, treacherous};
use crate::support::{Destination, Kind, Scene, SceneBuilder, keys};

const BY_HAND: &str = "authentication = { scheme = \"header\", header = \"DD-API-KEY\", secret = \"file:FOLDER/datadog.secret\" }";

/// Delivers to Datadog with the customer's `my-siem.wasm`.
fn with_my_siem(component: &[u8]) -> SceneBuilder {
    let by_hand = Destination::to(Kind::Datadog).formatted_by("my-siem").with_only(BY_HAND);
    Scene::new().plugin("my-siem.wasm", component).to(by_hand)
}

async fn until_active(scene: &Scene, component: &[u8]) -> Value {
    let digest = digest(component);
    scene.until_plugin("my-siem", "active", |plugin| plugin["digest"] == digest.as_str()).await
}

async fn until_sent_back(scene: &Scene, component: &[u8]) -> Value {
    let digest = digest(component);
    let sent_back = |plugin: &Value| plugin["sent_back"]["digest"] == digest.as_str();
    scene.until_plugin("my-siem", "sent back", sent_back).await
}

/// Which version made each record.
fn words(received: &[Received]) -> BTreeSet<&str> {
    received.iter().map(|received| received.record["message"].as_str().unwrap()).collect()
}

/// Events whose ids the treacherous version traps on.
fn poisonous(count: usize) -> Vec<Value> {
    numbered("~poison", count)
}

#[tokio::test]
async fn a_new_version_that_traps_gives_way_by_itself_and_nothing_is_given_up_for_it() {
    let mut scene = with_my_siem(&handmade("first")).start().await;
    let second = treacherous("second");
    scene.install("my-siem.wasm", &second);
    let plugin = until_active(&scene, &second).await;
    assert_eq!(
        (&plugin["is_new"], &plugin["previous"]["digest"]),
        (&json!(true), &json!(digest(&handmade("first"))))
    );
    scene.send(&numbered("fine", 5)).await;
    assert_eq!(words(&scene.datadog().arrived(5).await), BTreeSet::from(["second"]));
    // One event of three hundred is enough.
    let mut events = numbered("also-fine", 299);
    events.extend(poisonous(1));
    scene.send(&events).await;
    let received = scene.datadog().arrived(305).await;
    assert_eq!(words(&received[5..]), BTreeSet::from(["first"]), "all of them by the version before");
    let plugin = until_sent_back(&scene, &second).await;
    assert!(plugin["error"].as_str().unwrap().contains("trapped"), "{plugin:#}");
    scene.ask(&["plugin", "list"]).await.expect(0).shows(&["this version was sent back", "plugin promote"]);
    let view = scene.until("datadog", "settled", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!((&view["ledger"]["delivered"], &view["ledger"]["dead_lettered"]), (&json!(305), &json!(0)));
    // A restart finds the same file, and remembers.
    assert!(scene.host.terminate().await.success());
    scene.restart().await;
    scene.send(&poisonous(1)).await;
    assert_eq!(words(&scene.datadog().arrived(306).await[305..]), BTreeSet::from(["first"]));
    until_sent_back(&scene, &second).await;
    // A mended file is taken.
    scene.install("my-siem.wasm", &handmade("mended"));
    until_active(&scene, &handmade("mended")).await;
    scene.send(&numbered("again", 1)).await;
    assert_eq!(words(&scene.datadog().arrived(307).await[306..]), BTreeSet::from(["mended"]));
    scene.stop().await;
}

#[tokio::test]
async fn the_only_version_that_traps_on_everything_holds_the_destination_and_gives_nothing_up() {
    let scene = with_my_siem(&treacherous("only")).splunk().start().await;
    scene.send(&poisonous(40)).await;
    scene.splunk().arrived(40).await;
    let view = scene.until("datadog", "held", |view| view["status"]["state"] == "holding").await;
    assert_eq!(
        (&view["ledger"]["waiting"], &view["ledger"]["dead_lettered"]),
        (&json!(40), &json!(0)),
        "{view:#}"
    );
    scene.install("my-siem.wasm", &handmade("mended"));
    scene.datadog().arrived(40).await;
    scene.stop().await;
}

#[tokio::test]
async fn a_new_version_that_refuses_the_settings_gives_way_and_a_host_starts_with_the_one_before() {
    let settings = format!("{BY_HAND}\nsettings = {{ index = \"Not An Index\" }}");
    let by_hand = Destination::to(Kind::Datadog).formatted_by("my-siem").with_only(&settings);
    let mut scene = Scene::new().plugin("my-siem.wasm", &handmade("first")).to(by_hand).start().await;
    // Splunk's asks for an index that can be one.
    let second = rebuilt(bundled("splunk"), "second");
    scene.install("my-siem.wasm", &second);
    let plugin = until_sent_back(&scene, &second).await;
    let told = plugin["error"].as_str().unwrap();
    assert!(told.contains("destination acme/datadog") && told.contains("cannot be an index"), "{told}");
    scene.send(&numbered("fine", 3)).await;
    assert_eq!(words(&scene.datadog().arrived(3).await), BTreeSet::from(["first"]));
    // It is tried again after a restart, when the settings may be others. Nothing waits for it.
    for round in 1..3 {
        assert!(scene.host.terminate().await.success());
        scene.ask(&["check"]).await.expect(0);
        scene.restart().await;
        scene.send(&numbered(&format!("after {round}"), 1)).await;
        assert_eq!(words(&scene.datadog().arrived(3 + round).await), BTreeSet::from(["first"]));
        until_sent_back(&scene, &second).await;
    }
    scene.stop().await;
}

#[tokio::test]
async fn a_host_starts_with_the_kept_version_of_a_plugin_whose_file_is_gone() {
    let mut scene = with_my_siem(&handmade("first")).start().await;
    until_active(&scene, &handmade("first")).await;
    assert!(scene.host.terminate().await.success());
    fs::remove_file(scene.path("plugins").join("my-siem.wasm")).unwrap();
    scene.ask(&["check"]).await.expect(0).shows(&["is fine"]);
    scene.restart().await;
    scene.send(&numbered("fine", 3)).await;
    assert_eq!(words(&scene.datadog().arrived(3).await), BTreeSet::from(["first"]));
    scene.ask(&["plugin", "list"]).await.expect(0).shows(&[
        "draining",
        "the file is gone",
        "put the file back",
    ]);
    scene.install("my-siem.wasm", &handmade("second"));
    until_active(&scene, &handmade("second")).await;
    scene.stop().await;
}

#[tokio::test]
async fn with_the_manual_policy_an_operator_decides_and_can_return() {
    let (first, second) = (handmade("first"), handmade("second"));
    let stage = with_my_siem(&first).set().await;
    stage.edit(|text| text + "\n[[plugin]]\nname = \"my-siem\"\npolicy = \"manual\"\n");
    let mut scene = stage.start(None).await;
    scene.install("my-siem.wasm", &second);
    let waits = |plugin: &Value| plugin["candidate"]["digest"] == digest(&second).as_str();
    scene.until_plugin("my-siem", "waiting", waits).await;
    scene.ask(&["plugin", "list"]).await.expect(0).shows(&["waits", "siemaphore plugin promote my-siem"]);
    scene.send(&numbered("one", 1)).await;
    assert_eq!(words(&scene.datadog().arrived(1).await), BTreeSet::from(["first"]));
    // A restart in between changes nothing.
    assert!(scene.host.terminate().await.success());
    scene.restart().await;
    scene.until_plugin("my-siem", "waiting", waits).await;
    scene.send(&numbered("two", 1)).await;
    assert_eq!(words(&scene.datadog().arrived(2).await), BTreeSet::from(["first"]));
    let promoted = scene.ask(&["plugin", "promote", "my-siem", "--json"]).await.expect(0).json();
    assert_eq!((&promoted["name"], &promoted["digest"]), (&json!("my-siem"), &json!(digest(&second))));
    assert_eq!(promoted["destinations"], json!(["acme/datadog"]), "{promoted:#}");
    until_active(&scene, &second).await;
    scene.send(&numbered("three", 1)).await;
    assert_eq!(words(&scene.datadog().arrived(3).await[2..]), BTreeSet::from(["second"]));
    scene.ask(&["plugin", "promote", "my-siem"]).await.expect(1).shows(&["no version", "waits"]);
    // Friday afternoon.
    let from = scene.host.log.count();
    let told = ["formats again", "siemaphore plugin promote my-siem"];
    scene.ask(&["plugin", "rollback", "my-siem"]).await.expect(0).shows(&told);
    let about = |line: &Entry| line.text.contains("returned the formatter to its previous version");
    let line = scene.host.log.wait(from, "an operator's word", about).await;
    assert!(line.level == "WARN" && line.text.contains("an operator has"), "{line:?}");
    scene.send(&numbered("four", 1)).await;
    assert_eq!(words(&scene.datadog().arrived(4).await[3..]), BTreeSet::from(["first"]));
    scene.ask(&["plugin", "rollback", "my-siem"]).await.expect(1).shows(&["no previous version"]);
    scene.ask(&["plugin", "rollback", "splunk"]).await.expect(1).shows(&["built in"]);
    for word in ["promote", "rollback"] {
        let told = ["no plugin `my-seim`", "did you mean `my-siem`?"];
        scene.ask(&["plugin", word, "my-seim"]).await.expect(1).shows(&told);
        let told = scene.ask(&["plugin", word, "my-seim", "--json"]).await.expect(1).json();
        assert!(told["error"]["hint"].as_str().unwrap().contains("did you mean"), "{told:#}");
    }
    scene.stop().await;
}

#[tokio::test]
async fn a_host_that_lost_the_list_of_what_was_allowed_starts_and_waits_for_a_word() {
    let first = handmade("first");
    let stage = with_my_siem(&first).set().await;
    stage.edit(|text| text + "\n[[plugin]]\nname = \"my-siem\"\npolicy = \"manual\"\n");
    let mut scene = stage.start(None).await;
    until_active(&scene, &first).await;
    assert!(scene.host.terminate().await.success());
    fs::write(scene.path("state/plugins/versions.json"), "{").unwrap();
    scene.restart().await;
    scene.send(&numbered("one", 1)).await;
    scene.ask(&["destination", "list"]).await.expect(0).shows(&["waits for an operator"]);
    scene.ask(&["plugin", "list", "--state", "waiting"]).await.expect(0).shows(&["my-siem", "waiting"]);
    scene.ask(&["doctor"]).await.expect(1).shows(&["waits for a word, and no other is there"]);
    scene.ask(&["plugin", "promote", "my-siem"]).await.expect(0);
    assert_eq!(words(&scene.datadog().arrived(1).await), BTreeSet::from(["first"]));
    scene.stop().await;
}

#[tokio::test]
async fn a_version_whose_file_is_gone_cannot_be_tried_again_and_asking_changes_nothing() {
    let scene = with_my_siem(&handmade("first")).start().await;
    let second = treacherous("second");
    scene.install("my-siem.wasm", &second);
    until_active(&scene, &second).await;
    scene.send(&poisonous(1)).await;
    until_sent_back(&scene, &second).await;
    fs::remove_file(scene.path("plugins/my-siem.wasm")).unwrap();
    scene.until_plugin("my-siem", "without its file", |plugin| plugin["state"] == "draining").await;
    let told = ["the file of plugin `my-siem` is gone", "nothing was changed", "hint: put the file back"];
    scene.ask(&["plugin", "promote", "my-siem"]).await.expect(1).shows(&told);
    assert_eq!(scene.plugin("my-siem").await["sent_back"]["digest"], digest(&second).as_str());
    scene.stop().await;
}

const REPLACEMENTS: usize = 100;
const EVENTS_AT_ONCE: usize = 10;
const WARM_UP: usize = 8;
const EVENTS_TO_WARM_UP: usize = 500;

/// Every tenth file is broken or hostile.
fn file(number: usize) -> Vec<u8> {
    match (number % 10, number / 10 % 4) {
        (0, 0) => b"this is not WebAssembly".to_vec(),
        (0, 1) => bundled("splunk")[..20_000].to_vec(),
        (0, 2) => b"\0asm\x01\0\0\0".to_vec(),
        (0, _) => treacherous(&format!("treacherous {number}")),
        _ => handmade(&format!("version {number}")),
    }
}

#[tokio::test]
async fn a_formatter_is_replaced_a_hundred_times_while_events_flow_through_three_destinations() {
    let scene = with_my_siem(&handmade("version 0")).splunk().sentinel().start().await;
    // Buffers and caches reach the size that they keep, so that what grows afterwards grows by replacing.
    let warm_up = (0..WARM_UP).map(|round| {
        let events = numbered(&format!("~warm{round}"), EVENTS_TO_WARM_UP);
        let scene = &scene;
        async move { scene.send(&events).await }
    });
    futures_util::future::join_all(warm_up).await;
    let before = WARM_UP * EVENTS_TO_WARM_UP;
    for name in ["datadog", "splunk", "sentinel"] {
        scene.siem(name).arrived(before).await;
    }
    let (over, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let flow = async {
        while !over.load(Ordering::Relaxed) {
            let name = format!("~flow{}", sent.fetch_add(1, Ordering::Relaxed));
            scene.send(&numbered(&name, EVENTS_AT_ONCE)).await;
            // What has been sent is delivered before more is: the flow neither stops nor becomes a flood.
            scene.splunk().arrived(before + sent.load(Ordering::Relaxed) * EVENTS_AT_ONCE).await;
        }
    };
    let mut memory_kib = Vec::new();
    let replace = async {
        for number in 1..=REPLACEMENTS {
            let component = file(number);
            scene.install("my-siem.wasm", &component);
            match (number % 10, number / 10 % 4) {
                (0, 0..3) => {
                    scene.until_plugin("my-siem", "faulty", |plugin| !plugin["error"].is_null()).await;
                }
                (0, _) => {
                    until_sent_back(&scene, &component).await;
                }
                _ => {
                    until_active(&scene, &component).await;
                }
            }
            memory_kib.push(scene.host.resident_kib());
        }
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(flow, replace);
    let total = before + sent.load(Ordering::Relaxed) * EVENTS_AT_ONCE;
    let expected: BTreeSet<String> = keys(&scene.splunk().arrived(total).await).into_iter().collect();
    assert_eq!(expected.len(), total, "each event once");
    for name in ["datadog", "sentinel"] {
        let arrived: BTreeSet<String> = keys(&scene.siem(name).arrived(total).await).into_iter().collect();
        assert!(arrived == expected, "{name} has {} of {total} events", arrived.len());
        let view = scene.until(name, "settled", |view| view["ledger"]["waiting"] == 0).await;
        assert_eq!(view["ledger"]["dead_lettered"], 0, "{view:#}");
    }
    let good: BTreeSet<String> = (0..=REPLACEMENTS).map(|number| format!("version {number}")).collect();
    let received = scene.datadog().received();
    for word in words(&received) {
        assert!(good.contains(word), "`{word}` formatted");
    }
    let (early, late) = (memory_kib[9], memory_kib[REPLACEMENTS - 1]);
    assert!(late * 10 <= early * 11, "KiB after each replacement: {memory_kib:?}");
    scene.stop().await;
}

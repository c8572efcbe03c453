//! A file put into the plugin folder, and followed until the host formats with it.

use std::fs;

use super::Workshop;
use crate::support::events::numbered;
use crate::support::formatter::{broken_on_events, bundled, digest, handmade, treacherous};
use crate::support::{Destination, Kind, Scene, SceneBuilder, run_in};

/// Delivers to Datadog with the customer's `my-siem.wasm`.
fn with_my_siem() -> SceneBuilder {
    let by_hand = Destination::to(Kind::Datadog).formatted_by("my-siem").with_only(
        "authentication = { scheme = \"header\", header = \"DD-API-KEY\", secret = \"file:FOLDER/datadog.secret\" }",
    );
    Scene::new().plugin("my-siem.wasm", &handmade("first")).to(by_hand)
}

#[tokio::test]
async fn a_file_is_active_in_the_running_host_when_install_succeeds() {
    let scene = with_my_siem().start().await;
    let shop = Workshop::new();
    let file = shop.file("my-siem.wasm", handmade("second"));
    let installed = scene.ask(&["plugin", "install", &file]).await.expect(0);
    installed.shows(&["plugins/my-siem.wasm", "active "]);
    scene.send(&numbered("one", 1)).await;
    assert_eq!(scene.datadog().arrived(1).await[0].record["message"], "second");
    let again = scene.ask(&["plugin", "install", &file, "--json"]).await.expect(0).json();
    assert_eq!((&again["name"], &again["state"]), (&"my-siem".into(), &"active".into()));
    assert_eq!(scene.plugin("my-siem").await["digest"], again["digest"]);

    let new = shop.file("another.wasm", handmade("another"));
    scene.ask(&["plugin", "install", &new]).await.expect(0).shows(&["formatter = \"another\""]);
    assert_eq!(scene.plugin("another").await["state"], "active");
    scene.stop().await;
}

#[tokio::test]
async fn where_an_operator_decides_an_installed_file_waits_for_that() {
    let stage = with_my_siem().set().await;
    stage.edit(|text| text.replace("[plugins]\n", "[plugins]\npolicy = \"manual\"\n"));
    let scene = stage.start(None).await;
    let shop = Workshop::new();
    let file = shop.file("my-siem.wasm", handmade("second"));
    let installed = scene.ask(&["plugin", "install", &file]).await.expect(0);
    installed.shows(&["siemaphore plugin promote my-siem", "siemaphore plugin diff"]);
    scene.send(&numbered("before", 1)).await;
    assert_eq!(scene.datadog().arrived(1).await[0].record["message"], "first");
    scene.ask(&["plugin", "promote", "my-siem"]).await.expect(0);
    scene.ask(&["plugin", "install", &file]).await.expect(0).shows(&["active "]);
    scene.send(&numbered("after", 1)).await;
    assert_eq!(scene.datadog().arrived(2).await[1].record["message"], "second");
    scene.stop().await;
}

#[tokio::test]
async fn a_version_that_a_destination_cannot_use_is_not_called_active() {
    let scene = with_my_siem().start().await;
    let shop = Workshop::new();
    // Sentinel's formatter wants settings that this destination does not have.
    let file = shop.file("my-siem.wasm", bundled("sentinel"));
    let told =
        ["error: ", "for destination acme/datadog: ", "refuses the settings", "plugin promote my-siem"];
    scene.ask(&["plugin", "install", &file]).await.expect(1).shows(&told);
    scene.send(&numbered("one", 1)).await;
    assert_eq!(scene.datadog().arrived(1).await[0].record["message"], "first");
    scene.stop().await;
}

#[tokio::test]
async fn what_a_host_would_refuse_does_not_get_into_the_folder() {
    let scene = with_my_siem().start().await;
    let shop = Workshop::new();
    let refused = async |file: &str, told: &[&str]| {
        scene.ask(&["plugin", "install", file]).await.expect(1).shows(told);
    };
    refused(&shop.file("splunk.wasm", handmade("x")), &["`splunk` is the name of a built-in", "hint: "])
        .await;
    refused(&shop.file("My_Siem.wasm", handmade("x")), &["`My_Siem` is not a plugin name", "hint: "]).await;
    refused(&shop.file("my-siem.wasm", &bundled("splunk")[..20_000]), &["damaged", "hint: "]).await;
    refused(&shop.file("my-siem.wasm", "no component"), &["is not WebAssembly", "hint: "]).await;
    refused(&shop.file("my-siem.wasm", broken_on_events()), &["it breaks the law", "hint: "]).await;
    refused("/nonexistent.wasm", &["/nonexistent.wasm"]).await;
    let left: Vec<_> =
        fs::read_dir(scene.path("plugins")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["my-siem.wasm"]);
    scene.send(&numbered("unharmed", 1)).await;
    assert_eq!(scene.datadog().arrived(1).await[0].record["message"], "first");
    scene.stop().await;
}

#[tokio::test]
async fn a_file_that_the_configuration_or_the_host_refuses_does_not_replace_the_one_that_is_there() {
    let stage = with_my_siem().set().await;
    let folder = stage.path("plugins/my-siem.wasm");
    let (first, second) = (handmade("first"), treacherous("second"));
    let shop = Workshop::new();
    let file = shop.file("my-siem.wasm", &second);
    let pin = format!("\n[[plugin]]\nname = \"my-siem\"\ndigest = \"{}\"\n", digest(&first));
    stage.edit(|text| text + &pin);
    let config = stage.configuration().display().to_string();
    let told = ["takes", &digest(&first), &digest(&second), "[[plugin]]", "hint: "];
    run_in(shop.folder(), &["plugin", "install", &file, "--config", &config]).await.expect(1).shows(&told);
    assert_eq!(fs::read(&folder).unwrap(), first);
    let little = "\n[[plugin]]\nname = \"my-siem\"\nmemory = \"1 KiB\"\n";
    stage.edit(|text| text.replace(&pin, little));
    let told = ["is not installed: ", "memory"];
    run_in(shop.folder(), &["plugin", "install", &file, "--config", &config]).await.expect(1).shows(&told);
    assert_eq!(fs::read(&folder).unwrap(), first);
    stage.edit(|text| text.replace(little, ""));

    let scene = stage.start(None).await;
    scene.ask(&["plugin", "install", &file]).await.expect(0);
    scene.send(&numbered("~poison", 1)).await;
    scene.datadog().arrived(1).await;
    scene.until_plugin("my-siem", "sent back", |plugin| !plugin["sent_back"].is_null()).await;
    // Whoever puts something else there by hand keeps it, too.
    scene.install("my-siem.wasm", b"no component");
    let told = ["was sent back: ", "trapped", "siemaphore plugin promote my-siem"];
    scene.ask(&["plugin", "install", &file]).await.expect(1).shows(&told);
    assert_eq!(fs::read(&folder).unwrap(), b"no component");
    let told = scene.ask(&["plugin", "install", &file, "--json"]).await.expect(1).json();
    assert!(told["error"]["reason"].as_str().unwrap().contains("was sent back"), "{told:#}");
    assert!(told["error"]["hint"].as_str().unwrap().contains("promote my-siem"), "{told:#}");
    scene.ask(&["plugin", "install", &shop.file("my-siem.wasm", &first)]).await.expect(0);
    scene.stop().await;
}

#[tokio::test]
async fn without_a_host_a_signed_file_is_put_there_with_its_signature_for_the_next_one() {
    let stage = with_my_siem().set().await;
    let shop = Workshop::new();
    let file = shop.file("my-siem.wasm", handmade("second"));
    run_in(shop.folder(), &["plugin", "keygen", "ours"]).await.expect(0);
    run_in(shop.folder(), &["plugin", "keygen", "theirs"]).await.expect(0);
    run_in(shop.folder(), &["plugin", "sign", "my-siem.wasm", "--key", "ours"]).await.expect(0);
    let configuration = stage.configuration();
    let install = async |key: &str| {
        let config = configuration.to_str().unwrap();
        run_in(shop.folder(), &["plugin", "install", &file, "--key", key, "--config", config]).await
    };
    install("theirs.pub").await.expect(1).shows(&["none of the 1 trusted keys"]);
    assert_eq!(fs::read(stage.path("plugins/my-siem.wasm")).unwrap(), handmade("first"));
    install("ours.pub").await.expect(0).shows(&["signed by", "no host runs"]);
    let copied = fs::read(stage.path("plugins/my-siem.wasm.sig")).unwrap();
    assert_eq!(copied, fs::read(shop.path("my-siem.wasm.sig")).unwrap());
    let scene = stage.start(None).await;
    scene.send(&numbered("one", 1)).await;
    assert_eq!(scene.datadog().arrived(1).await[0].record["message"], "second");
    assert!(scene.plugin("my-siem").await["error"].is_null());

    // What replaces it is not signed: the signature from before would be of other bytes.
    fs::remove_file(shop.path("my-siem.wasm.sig")).unwrap();
    scene.ask(&["plugin", "install", &shop.file("my-siem.wasm", handmade("third"))]).await.expect(0);
    assert!(!scene.path("plugins/my-siem.wasm.sig").exists());
    scene.stop().await;
}

#[tokio::test]
async fn a_host_that_trusts_keys_is_given_nothing_that_is_not_signed_by_one() {
    let shop = Workshop::new();
    let stage = with_my_siem().set().await;
    let public = run_in(shop.folder(), &["plugin", "keygen", "ours", "--json"]).await.expect(0).json();
    let public = public["public_key"].as_str().unwrap().to_owned();
    stage.edit(|text| text.replace("[plugins]\n", &format!("[plugins]\ntrusted_keys = [\"{public}\"]\n")));
    let first = stage.path("plugins/my-siem.wasm").display().to_string();
    run_in(shop.folder(), &["plugin", "sign", &first, "--key", "ours"]).await.expect(0);
    let scene = stage.start(None).await;
    let file = shop.file("my-siem.wasm", handmade("second"));
    scene
        .ask(&["plugin", "install", &file])
        .await
        .expect(1)
        .shows(&["is not signed", "siemaphore plugin sign"]);
    assert_eq!(fs::read(&first).unwrap(), handmade("first"));
    run_in(shop.folder(), &["plugin", "sign", "my-siem.wasm", "--key", "ours"]).await.expect(0);
    scene.ask(&["plugin", "install", &file]).await.expect(0).shows(&["signed by", "active "]);
    scene.send(&numbered("one", 1)).await;
    assert_eq!(scene.datadog().arrived(1).await[0].record["message"], "second");
    scene.stop().await;
}

#[tokio::test]
async fn a_configuration_without_a_plugin_folder_is_told_apart() {
    let stage = Scene::new().splunk().set().await;
    stage.edit(|text| text.replace("[plugins]\nfolder = \"plugins\"\n", ""));
    let shop = Workshop::new();
    let file = shop.file("acme.wasm", bundled("splunk"));
    let install =
        ["plugin", "install", &file, "--config", stage.configuration().to_str().unwrap()].map(str::to_owned);
    run_in(shop.folder(), &install)
        .await
        .expect(1)
        .shows(&["names no plugin folder", "folder = \"plugins\""]);
}

//! A configuration that cannot work starts nothing, and says where, why and what to write instead.

use crate::support::{Destination, Host, Kind, Scene, SceneBuilder, run};

/// Expects `check` and `run` to refuse the configuration after `edit`: exit code 2, the line where `marker` stands, and
/// all of `told`. Nothing listens and nothing is left behind.
async fn refused(scene: SceneBuilder, edit: impl FnOnce(String) -> String, marker: &str, told: &[&str]) {
    let stage = scene.set().await;
    stage.edit(edit);
    let text = std::fs::read_to_string(stage.configuration()).unwrap();
    let line =
        text.lines().position(|line| line.contains(marker)).unwrap_or_else(|| panic!("no {marker}: {text}"))
            + 1;
    let place = format!("line {line}, column ");
    let told = [told, &[place.as_str(), "fix: "]].concat();

    let configuration = stage.configuration();
    let file = configuration.to_str().unwrap();
    run(&["check", "--config", file]).await.expect(2).shows(&told);
    let checked = run(&["check", "--config", file, "--json"]).await.expect(2).json();
    assert_eq!(checked["ok"], false);
    assert_eq!(checked["problems"][0]["line"], line, "{checked:#}");
    assert!(!checked["problems"][0]["hint"].as_str().unwrap().is_empty(), "{checked:#}");

    let (status, log) = Host::start_in_vain(&configuration).await;
    let log = log.join("\n");
    assert_eq!(status.code(), Some(2), "{log}");
    for text in told {
        assert!(log.contains(text), "no `{text}` in {log}");
    }
    assert!(!log.contains("listening"), "{log}");
    assert!(!stage.path("state").exists(), "something was left behind");
}

#[tokio::test]
async fn an_unknown_key_is_named_with_the_one_that_was_meant() {
    let scene = Scene::new().to(Destination::to(Kind::Splunk).with("batch_event = 5"));
    refused(
        scene,
        |text| text,
        "batch_event = 5",
        &["unknown key `batch_event`", "did you mean `batch_events`?"],
    )
    .await;
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_named_and_what_to_do_about_it() {
    let missing = |text: String| text.replace("splunk.secret", "nowhere.secret");
    refused(Scene::new().splunk(), missing, "nowhere.secret", &["does not exist", "create the file"]).await;
}

#[tokio::test]
async fn plain_http_is_refused_for_credentials() {
    let plain = |text: String| text.replace("endpoint = \"https://", "endpoint = \"http://");
    refused(Scene::new().splunk(), plain, "endpoint = ", &["https"]).await;
}

#[tokio::test]
async fn an_endpoint_with_a_query_is_named_by_its_own_line() {
    let query = |text: String| {
        let from = text.find("endpoint = \"").unwrap();
        let line = text[from..].lines().next().unwrap().to_owned();
        text.replacen(&line, &format!("{}?a=b\"", line.trim_end_matches('"')), 1)
    };
    refused(Scene::new().splunk(), query, "?a=b", &["the endpoint cannot be used", "query"]).await;
}

#[tokio::test]
async fn a_destination_whose_plugin_does_not_load_is_refused() {
    let scene = Scene::new()
        .plugin("my-siem.wasm", b"this is not WebAssembly")
        .to(Destination::to(Kind::Splunk).formatted_by("my-siem"));
    let told = ["formatter `my-siem` cannot be used", "put a `.wasm` component there"];
    refused(scene, |text| text, "formatter = \"my-siem\"", &told).await;
}

#[tokio::test]
async fn a_formatter_that_does_not_exist_is_refused_with_the_nearest_name() {
    let typo = |text: String| text.replace("formatter = \"splunk\"", "formatter = \"splank\"");
    let told = ["there is no formatter `splank`", "did you mean \"splunk\"?"];
    refused(Scene::new().splunk(), typo, "splank", &told).await;
}

#[tokio::test]
async fn settings_that_the_formatter_refuses_are_refused_in_its_words() {
    let scene =
        Scene::new().to(Destination::to(Kind::Splunk).with("settings = { index = \"Not An Index\" }"));
    let told =
        ["formatter `splunk` refuses the settings", "cannot be an index", "siemaphore plugin inspect splunk"];
    refused(scene, |text| text, "Not An Index", &told).await;
}

#[tokio::test]
async fn every_problem_of_a_file_is_told_at_once() {
    let several = |text: String| {
        text.replace("disk_reserve = \"64 MiB\"", "disk_reserve = \"little\"")
            .replace("127.0.0.0/8", "127.0.0.0")
            .replace("format = \"json\"", "format = \"yaml\"")
    };
    refused(
        Scene::new().splunk(),
        several,
        "127.0.0.0",
        &["`little` is not a size", "is not a network", "`yaml`"],
    )
    .await;
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let output = run(&["run", "--config", "/nonexistent/siemaphore.toml"]).await.expect(2);
    output.shows(&["/nonexistent/siemaphore.toml", "--config FILE"]);
    run(&["check", "--config", "/nonexistent/siemaphore.toml"]).await.expect(2);
}

#[tokio::test]
async fn a_secret_that_its_scheme_cannot_use_is_refused_before_an_event_needs_it() {
    for (scheme, told) in [
        ("scheme = \"standard-webhooks\"", "is not one of Standard Webhooks"),
        (
            "scheme = \"google-service-account\", scope = \"s\"",
            "is not the key file of a Google service account",
        ),
        ("scheme = \"azure-shared-key\", workspace_id = \"w\"", "it is not base64"),
    ] {
        let edit = |text: String| {
            let authentication = format!("formatter = \"splunk\"\nauthentication = {{ {scheme} }}");
            text.replacen("formatter = \"splunk\"", &authentication, 1)
        };
        refused(Scene::new().splunk(), edit, "secret = ", &[told]).await;
    }
}

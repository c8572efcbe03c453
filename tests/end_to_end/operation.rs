//! What an operator does with a running host, and how it ends.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use siemaphore_receiver::Fault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::events::{lines, numbered, numbered_ids};
use crate::support::{
    Destination, Entry, Host, Kind, Scene, TOKEN, formatter, get, ids, run, run_with_input,
};

#[tokio::test]
async fn a_host_that_is_told_to_stop_finishes_what_is_in_flight_and_exits_with_success() {
    let in_halves = Destination::to(Kind::Splunk).with("batch_events = 25").with("concurrency = 2");
    let mut scene = Scene::new().to(in_halves).start().await;
    scene.splunk().script(vec![Fault::HangFor(Duration::from_secs(2))]);
    scene.send(&numbered("drain", 50)).await;
    // One of the two requests has been answered, so the other is waiting for its answer.
    scene.splunk().arrived(25).await;
    let status = scene.host.terminate().await;
    assert_eq!(status.code(), Some(0));
    let stopped = scene.host.log.wait(0, "stopped", |line| line.message.starts_with("stopped")).await;
    assert_eq!(
        (&stopped.fields["cut_off"], &stopped.fields["waiting"]),
        (&json!(0), &json!(0)),
        "{}",
        stopped.text
    );
    assert_eq!(ids(&scene.splunk().received()), numbered_ids("drain", 50));

    scene.restart().await;
    assert_eq!(scene.destination("splunk").await["ledger"]["delivered"], 50, "it was settled before the end");
    scene.stop().await;
    // Nothing was sent again.
}

#[tokio::test]
async fn a_host_that_stops_says_how_many_events_it_leaves_for_whom() {
    let mut scene = Scene::new().splunk().datadog().start().await;
    scene.splunk().fail_always(Some(Fault::Status(503)));
    scene.send(&numbered("left", 7)).await;
    scene.datadog().arrived(7).await;
    scene.until("datadog", "settled", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!(scene.host.terminate().await.code(), Some(0));
    let left = |line: &Entry| line.message.starts_with("left for the next start");
    let line = scene.host.log.wait(0, "left", left).await;
    assert_eq!(
        (line.field("destination"), &line.fields["events"]),
        ("acme/splunk", &json!(7)),
        "{}",
        line.text
    );
    assert!(!scene.host.log.all().iter().any(|line| line.contains("left for") && line.contains("datadog")));
    scene.splunk().fail_always(None);
    scene.restart().await;
    assert_eq!(ids(&scene.splunk().arrived(7).await), numbered_ids("left", 7));
    scene.stop().await;
}

#[tokio::test]
async fn a_second_signal_ends_the_host_at_once_and_loses_nothing() {
    let mut scene = Scene::new().splunk().start().await;
    scene.splunk().script(vec![Fault::Hang]);
    scene.send(&numbered("twice", 5)).await;
    scene.splunk().requested(1).await;
    scene.host.signal(Signal::TERM);
    scene.host.log.wait(0, "stopping", |line| line.message.starts_with("stopping")).await;
    // The line says that it begins.
    while get(scene.host.admin, "/readyz").await.status != 503 {}
    let start = Instant::now();
    scene.host.signal(Signal::INT);
    assert_eq!(scene.host.ended().await.code(), Some(1));
    // The request in flight would have had 25 seconds.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let log = scene.host.log.all().join("\n");
    assert!(log.contains("stopped at once by a second signal"), "{log}");
    scene.restart().await;
    assert_eq!(ids(&scene.splunk().arrived(5).await), numbered_ids("twice", 5));
    scene.stop().await;
}

#[tokio::test]
async fn what_a_host_writes_is_for_its_owner_only() {
    let scene = Scene::new().splunk().start().await;
    scene.send(&numbered("private", 3)).await;
    scene.until("splunk", "delivered", |view| view["ledger"]["delivered"] == 3).await;
    let files = fs::read_dir(scene.path("state").join("store")).unwrap();
    let modes: Vec<(OsString, u32)> = files
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name(), entry.metadata().unwrap().permissions().mode() & 0o777))
        .collect();
    assert!(modes.len() >= 4 && modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
    scene.stop().await;
}

#[tokio::test]
async fn probes_and_metrics_answer_and_count_what_happened() {
    let scene = Scene::new().splunk().datadog().start().await;
    scene.send(&numbered("count", 12)).await;
    scene.post(&[], "[1,2]").await.expect(422);
    for name in ["splunk", "datadog"] {
        scene.until(name, "settled", |view| view["ledger"]["delivered"] == 12).await;
    }
    get(scene.host.admin, "/healthz").await.expect(200);
    get(scene.host.admin, "/readyz").await.expect(200);
    get(scene.host.admin, "/v1/destinations").await.expect(404);
    let metrics = get(scene.host.admin, "/metrics").await.expect(200);
    assert!(metrics.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    for sample in [
        "siemaphore_intake_accepted_events_total{source=\"gateway\"} 12",
        "siemaphore_intake_refused_events_total{source=\"gateway\",reason=\"not-an-object\"} 2",
        "siemaphore_destination_accepted_events_total{destination=\"acme/splunk\"} 12",
        "siemaphore_destination_events{destination=\"acme/datadog\",end=\"delivered\"} 12",
        "siemaphore_destination_waiting_events{destination=\"acme/splunk\"} 0",
        "siemaphore_destination_ledger_difference_events{destination=\"acme/splunk\"} 0",
        "siemaphore_destination_oldest_waiting_age_seconds{destination=\"acme/splunk\"} 0",
        "siemaphore_destination_up{destination=\"acme/splunk\"} 1",
    ] {
        assert!(metrics.text.lines().any(|line| line == sample), "no {sample} in {}", metrics.text);
    }
    scene.stop().await;
}

#[tokio::test]
async fn destinations_and_dead_letters_are_shown_to_people_and_to_scripts() {
    let scene = Scene::new().splunk().datadog().start().await;
    scene.ask(&["dead-letters", "list"]).await.expect(0).shows(&["no event has been given up"]);
    let body = r#"{"text":"Invalid data format","code":6,"invalid-event-number":1}"#.to_owned();
    scene.splunk().script(vec![Fault::StatusWith { status: 400, headers: Vec::new(), body }]);
    scene.send(&numbered("shown", 3)).await;
    scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await;

    let listed = scene.ask(&["destination", "list"]).await.expect(0);
    listed.shows(&["acme/splunk", "acme/datadog", "delivered", "waiting", "dead"]);
    let splunk = scene.destination("splunk").await;
    let ledger = &splunk["ledger"];
    let ends = ["delivered", "filtered", "dead_lettered", "discarded", "expired", "damaged", "waiting"];
    let sum: u64 = ends.iter().map(|end| ledger[end].as_u64().unwrap()).sum();
    assert_eq!((ledger["accepted"].as_u64(), sum), (Some(3), 3), "the ledger adds up: {ledger:#}");

    scene.ask(&["dead-letters", "list"]).await.expect(0).shows(&[
        "acme/splunk",
        "dlp.pii_blocked",
        "Invalid data",
    ]);
    let letters =
        scene.ask(&["dead-letters", "list", "--json", "--destination", "acme/splunk"]).await.expect(0).json();
    assert_eq!(letters[0]["event_type"], "dlp.pii_blocked", "{letters:#}");
    let others =
        scene.ask(&["dead-letters", "list", "--json", "--destination", "acme/datadog"]).await.expect(0);
    assert_eq!(others.json(), json!([]));
    scene.stop().await;
}

#[tokio::test]
async fn a_test_sends_one_event_and_tells_what_the_siem_said() {
    let scene = Scene::new().splunk().datadog().start().await;
    scene.ask(&["destination", "test", "splunk"]).await.expect(0).shows(&["siemaphore.test", "200"]);
    let received = scene.splunk().arrived(1).await;
    assert_eq!(received[0].record["fields"]["event_type"], "siemaphore.test");

    let report = scene.ask(&["destination", "test", "acme/splunk", "--json"]).await.expect(0).json();
    assert_eq!((&report["ok"], &report["status"]), (&json!(true), &json!(200)), "{report:#}");
    let received = scene.splunk().arrived(2).await;
    assert_eq!(received[1].record["fields"]["event_key"], report["event_key"]);

    scene.datadog().script(vec![Fault::Status(403), Fault::Status(403), Fault::Status(403)]);
    scene.ask(&["destination", "test", "datadog"]).await.expect(1).shows(&["403", "hint"]);
    let report = scene.ask(&["destination", "test", "datadog", "--json"]).await.expect(1).json();
    assert!(report["ok"] == false && !report["hint"].as_str().unwrap().is_empty(), "{report:#}");

    scene.ask(&["destination", "test", "nobody"]).await.expect(1).shows(&["acme/splunk", "acme/datadog"]);
    scene.stop().await;
}

#[tokio::test]
async fn files_and_standard_input_are_sent_in_every_form_people_have_them() {
    let scene = Scene::new().splunk().start().await;
    let to = format!("http://{}", scene.host.intake);
    let token = format!("file:{}", scene.path("source.secret").display());
    let send = |file: &str| ["send", file, "--to", &to, "--token", &token].map(str::to_owned).to_vec();

    let file = scene.path("events.ndjson");
    fs::write(&file, lines(&numbered("lines", 2_500))).unwrap();
    let output = run(&send(file.to_str().unwrap())).await.expect(0);
    output.shows(&["2500 of 2500 events accepted"]);

    let array = json!(numbered("array", 3));
    fs::write(&file, serde_json::to_string_pretty(&array).unwrap()).unwrap();
    let mut command = send(file.to_str().unwrap());
    command.push("--json".to_owned());
    assert_eq!(run(&command).await.expect(0).json()["accepted"], 3);

    run_with_input(&send("-"), &lines(&numbered("stdin", 4))).await.expect(0).shows(&["4 of 4"]);
    let mixed = format!("{}5\n{}", lines(&numbered("mixed", 1)), lines(&numbered("more", 1)));
    run_with_input(&send("-"), &mixed).await.expect(1).shows(&["2 of 3 events accepted", "event 2: "]);

    // A run that is repeated stores nothing twice.
    run(&send(file.to_str().unwrap())).await.expect(0).shows(&["3 of 3"]);
    run_with_input(&send("-"), &lines(&numbered("last", 1))).await.expect(0);
    let view = scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!(view["ledger"]["accepted"], 2_500 + 3 + 4 + 2 + 1);
    scene.splunk().arrived(2_510).await;
    scene.stop().await;
}

#[tokio::test]
async fn sending_needs_a_token_and_a_host_and_says_so() {
    let scene = Scene::new().splunk().start().await;
    let to = format!("http://{}", scene.host.intake);
    let wrong = scene.path("wrong.secret");
    fs::write(&wrong, "not-the-token").unwrap();
    let wrong = format!("file:{}", wrong.display());
    let output = run_with_input(&["send", "-", "--to", &to, "--token", &wrong], "{}").await.expect(1);
    output.shows(&["hint: "]);
    assert!(!output.stderr.contains("not-the-token") && !output.stderr.contains(TOKEN));
    // The file is looked for before the token.
    let nowhere = run(&["send", "/nonexistent.json", "--to", &to, "--token", "env:NOT_SET"]).await.expect(1);
    nowhere.shows(&["/nonexistent.json"]);
    let told = run(&["send", "/nonexistent.json", "--to", &to, "--json"]).await.expect(1).json();
    assert!(told["error"]["reason"].as_str().unwrap().contains("/nonexistent.json"), "{told:#}");
    let untold = run(&["send", "/dev/null", "--to", &to, "--token", "env:NOT_SET"]).await.expect(1);
    untold.shows(&["env:NOT_SET", "hint: ", "--token", "SIEMAPHORE_TOKEN"]);
    scene.stop().await;
}

#[tokio::test]
async fn sending_to_a_host_that_asks_for_patience_says_so_once_and_goes_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("http://{}", listener.local_addr().unwrap());
    let host = tokio::spawn(async move {
        let full = r#"{"error":{"reason":"the disk is full","hint":"free some"}}"#;
        let taken = r#"{"accepted":1}"#;
        for (head, body) in [("503 Service Unavailable\r\nretry-after: 1", full), ("200 OK", taken)] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"{\"a\":1}") && !request.ends_with(b"{\"a\":1}\n") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0, "{request:?}");
            }
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "some-token").unwrap();
    let token = format!("file:{}", token.display());
    let sent = run_with_input(&["send", "-", "--to", &to, "--token", &token], "{\"a\":1}").await.expect(0);
    sent.shows(&["1 of 1 event accepted"]);
    let told = "the host answered 503: the disk is full: waiting 1 s before it is sent again";
    assert_eq!(sent.stderr.matches(told).count(), 1, "{sent:?}");
    host.await.unwrap();
}

#[tokio::test]
async fn plugins_are_listed_inspected_tried_and_looked_for() {
    let scene = Scene::new().plugin("mine.wasm", formatter::bundled("datadog")).splunk().start().await;
    // A host does not wait at its start for a plugin that nobody uses.
    scene.until_plugin("mine", "active", |plugin| plugin["state"] == "active").await;
    let list = scene.ask(&["plugin", "list"]).await.expect(0);
    list.shows(&["splunk", "mine", "active", "Splunk HTTP Event Collector"]);
    list.shows(&["not used by a destination: ", "datadog", "sentinel"]);
    assert!(list.stdout.lines().all(|line| !line.contains('│') || line.chars().count() <= 100), "{list:#?}");
    let of = async |arguments: &[&str]| {
        let listed = scene.ask(&[&["plugin", "list", "--json"], arguments].concat()).await.expect(0).json();
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&["mine"]).await, ["mine"]);
    assert_eq!(of(&["--state", "active"]).await, ["mine", "splunk"]);
    assert_eq!(of(&["--state", "waiting"]).await, Vec::<String>::new());
    scene
        .ask(&["plugin", "list", "mien"])
        .await
        .expect(1)
        .shows(&["no plugin `mien`", "did you mean `mine`?"]);
    let reloaded = scene.ask(&["plugin", "reload", "--json"]).await.expect(0).json();
    let built_in = siemaphore_bundle::formatters().len();
    assert_eq!(reloaded.as_array().unwrap().len(), built_in + 1, "{reloaded:#}");
    scene.ask(&["plugin", "reload"]).await.expect(0).shows(&["mine"]);

    let mine = scene.path("plugins/mine.wasm");
    let mine = mine.to_str().unwrap();
    run(&["plugin", "inspect", "splunk"]).await.expect(0).shows(&[
        "HEC token",
        "/services/collector/event",
        "index",
    ]);
    let inspected = run(&["plugin", "inspect", mine, "--json"]).await.expect(0).json();
    assert_eq!(inspected["description"]["title"], "Datadog Logs", "{inspected:#}");
    run(&["plugin", "inspect", "/nonexistent.wasm"]).await.expect(1).shows(&["/nonexistent.wasm"]);

    let file = scene.path("events.ndjson");
    fs::write(&file, lines(&numbered("tried", 2))).unwrap();
    let file = file.to_str().unwrap();
    let shown = run(&["plugin", "format", "splunk", file]).await.expect(0);
    shown.shows(&[
        "POST https://splunk.example.com:8088/services/collector/event",
        "Splunk [secret]",
        "tried-1",
    ]);
    let shown =
        run(&["plugin", "format", mine, file, "--json", "--endpoint", "https://logs.example.com"]).await;
    let shown = shown.expect(0).json();
    assert_eq!(shown["requests"][0]["url"], "https://logs.example.com/api/v2/logs", "{shown:#}");
    let body: Value = serde_json::from_str(shown["requests"][0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body[1]["request_id"], "tried-1", "{shown:#}");
    scene.stop().await;
}

#[tokio::test]
async fn a_check_of_a_good_configuration_shows_the_requests_and_starts_nothing() {
    let stage = Scene::new().splunk().sentinel().set().await;
    let configuration = stage.configuration();
    let file = configuration.to_str().unwrap();
    let output = run(&["check", "--config", file]).await.expect(0);
    output.shows(&[
        "acme/splunk",
        "/services/collector/event",
        "acme/sentinel",
        "/dataCollectionRules/",
        "is fine",
    ]);
    let checked = run(&["check", "--config", file, "--json"]).await.expect(0).json();
    assert_eq!((&checked["ok"], checked["destinations"].as_array().unwrap().len()), (&json!(true), 2));
    assert!(!stage.path("state").exists());

    stage.edit(|text| text.replacen("organization = \"acme\"", "organization = \"elsewhere\"", 1));
    let told =
        ["no destination of organisation `elsewhere`", "acme/splunk: no source of organisation `acme`"];
    let output = run(&["check", "--config", file]).await.expect(0);
    output.shows(&told);
    output.shows(&["warning: line ", "can be started; warnings: 3"]);
    let checked = run(&["check", "--config", file, "--json"]).await.expect(0).json();
    assert_eq!((&checked["ok"], checked["warnings"].as_array().unwrap().len()), (&json!(true), 3));
    let report = run(&["doctor", "--config", file, "--json"]).await.expect(0);
    report.shows(&told);

    run(&["destination", "list", "--config", file])
        .await
        .expect(1)
        .shows(&["no host answers", "siemaphore run"]);
}

#[tokio::test]
async fn a_second_host_on_the_same_state_is_refused_and_the_first_goes_on() {
    let scene = Scene::new().splunk().start().await;
    let (status, log) = Host::start_in_vain(&scene.configuration()).await;
    assert_eq!(status.code(), Some(1));
    let log = log.join("\n");
    assert!(log.contains("another host") && log.contains(&scene.host.pid().to_string()), "{log}");
    scene.send(&numbered("alone", 3)).await;
    assert_eq!(ids(&scene.splunk().arrived(3).await), numbered_ids("alone", 3));
    scene.ask(&["destination", "list"]).await.expect(0).shows(&["acme/splunk"]);
    scene.stop().await;
}

#[tokio::test]
async fn the_quickstart_shows_events_arriving_at_three_siems_and_cleans_up() {
    let output = run(&["quickstart", "--once"]).await.expect(0);
    output.shows(&["splunk", "datadog", "sentinel", "arrived", "rules broken", "dlp.pii_blocked"]);
    let rows: Vec<&str> =
        output.stdout.lines().filter(|line| line.contains("KiB") || line.contains(" B ")).collect();
    assert_eq!(rows.len(), 3, "{}", output.stdout);
}

//! The host asks for events: streams that are cut, exports in pages, and kills in between.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::echo::{Echo, Seen};
use crate::support::events::numbered;
use crate::support::{Scene, get, ids, output, spawn};

const TOKEN: &str = "canary-producer-token-0815";

/// A scene whose host also has this source, which asks `producer`.
async fn asking(producer: &Echo, path: &str, lines: &str) -> Scene {
    let stage = Scene::new().splunk().set().await;
    fs::write(stage.path("producer-ca.pem"), producer.ca_pem()).unwrap();
    let secret = stage.secret_file("producer", TOKEN);
    let url = producer.url(path);
    stage.edit(|text| {
        format!(
            "{text}\n[[source]]\nname = \"producer\"\norganization = \"acme\"\nurl = \"{url}\"\n\
             secret = \"file:{secret}\"\nca_file = \"producer-ca.pem\"\n{lines}\n"
        )
    });
    stage.start(None).await
}

fn header<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    let mut lines = seen.head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Waits until everything is stored and delivered; asserts that each event was stored once, and arrived.
async fn all_arrived(scene: &Scene, events: &[Value]) {
    scene
        .until("splunk", "done", |view| {
            view["ledger"]["waiting"] == 0 && view["ledger"]["accepted"] == events.len()
        })
        .await;
    let mut arrived = ids(&scene.splunk().received());
    arrived.sort();
    // Splunk may get a batch twice from a host that was killed.
    arrived.dedup();
    let mut expected: Vec<&str> = events.iter().map(|event| event["request_id"].as_str().unwrap()).collect();
    expected.sort_unstable();
    assert_eq!(arrived, expected);
}

async fn metrics(scene: &Scene, samples: &[&str]) {
    let metrics = get(scene.host.admin, "/metrics").await.expect(200).text;
    for sample in samples {
        assert!(metrics.contains(sample), "no {sample} in {metrics}");
    }
}

/// No secret of the producer in the log or in the store.
fn has_kept_the_token(scene: &Scene) {
    let log = scene.host.log.all().join("\n");
    assert!(!log.contains(TOKEN));
    for file in crate::support::files_below(&scene.path("state")) {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()), "{}", file.display());
    }
}

/// At most this many events in one connection, which then breaks off within the next.
const AT_ONCE: usize = 400;

fn stream(events: &[Value], seen: &Seen) -> Vec<u8> {
    if header(seen, "authorization") != Some(&format!("Bearer {TOKEN}")) {
        return b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_vec();
    }
    let known = header(seen, "last-event-id").map_or(0, |id| id.parse().unwrap());
    let mut text = String::from("\u{feff}retry: 100\r\n: hello\r\n\r\n");
    for (index, event) in events.iter().enumerate().skip(known).take(AT_ONCE) {
        text.push_str(&format!("event: audit\r\nid: {}\r\ndata: {event}\r\n\r\n", index + 1));
        text.push_str("event: ping\ndata: {\"id\":\"not wanted\"}\n\n");
    }
    text.push_str("event: audit\nid: 999999\ndata: {\"half\":");
    // Its length is a lie, and so the connection breaks off.
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99999999\r\n\r\n";
    [head.as_bytes(), text.as_bytes()].concat()
}

#[tokio::test]
async fn a_stream_that_breaks_off_under_a_host_that_is_killed_loses_nothing_and_doubles_nothing() {
    let events = numbered("stream", 4_000);
    let sent = events.clone();
    let producer = Echo::cutting(move |_, seen| stream(&sent, seen)).await;
    let mut scene = asking(&producer, "/v1/stream", "kind = \"sse\"\nevents = [\"audit\"]").await;
    for round in 1..=3 {
        // Somewhere in the middle, each time somewhere else.
        scene.splunk().arrived(round * 700).await;
        scene.host.kill().await;
        scene.restart().await;
    }
    all_arrived(&scene, &events).await;
    metrics(&scene, &["siemaphore_source_requests_total{source=\"producer\",kind=\"sse\"}"]).await;
    has_kept_the_token(&scene);
    scene.stop().await;
}

#[tokio::test]
async fn a_stream_that_refuses_the_token_is_told_with_what_to_do_and_check_shows_whom_it_would_ask() {
    let is_open = Arc::new(AtomicBool::new(false));
    let opened = Arc::clone(&is_open);
    let events = numbered("stream", 3);
    let sent = events.clone();
    let producer = Echo::cutting(move |_, seen| match opened.load(Ordering::Relaxed) {
        true => stream(&sent, seen),
        false => b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_vec(),
    })
    .await;
    let mut scene = asking(&producer, "/v1/stream?tenant=acme", "kind = \"sse\"\nevents = [\"audit\"]").await;
    let told = |entry: &crate::support::Entry| entry.message.starts_with("the source cannot go on");
    let line = scene.host.log.wait(0, "a refusal", told).await;
    assert_eq!(line.field("problem"), "127.0.0.1 answered 401");
    assert!(line.field("hint").contains("check `secret`"), "{line:?}");
    metrics(
        &scene,
        &[
            "siemaphore_source_up{source=\"producer\",kind=\"sse\"} 0",
            "siemaphore_source_connected{source=\"producer\",kind=\"sse\"} 0",
        ],
    )
    .await;
    let configuration = scene.configuration();
    let checked = output(spawn(&["check", "--config", configuration.to_str().unwrap()])).await;
    checked.expect(0).shows(&["source producer  sse  GET https://127.0.0.1:", "/v1/stream\n"]);
    let doctor = output(spawn(&["doctor", "--config", configuration.to_str().unwrap()])).await;
    doctor.shows(&["source producer", "the host waits: 127.0.0.1 answered 401"]);
    let list = ["source", "list", "--config", configuration.to_str().unwrap()];
    let listed = output(spawn(&list)).await.expect(0);
    listed.shows(&["acme/producer waits: 127.0.0.1 answered 401", "  hint: check `secret`"]);
    is_open.store(true, Ordering::Relaxed);
    // It would be asked again within a minute; a restart asks at once.
    let status = scene.host.terminate().await;
    assert!(status.success());
    scene.restart().await;
    all_arrived(&scene, &events[..]).await;
    scene.stop().await;
}

/// Of an export, the newest events first.
const PAGE: usize = 500;

fn export(events: &[Value], requests: usize, seen: &Seen) -> Vec<u8> {
    if header(seen, "authorization") != Some(&format!("Bearer {TOKEN}")) {
        return b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_vec();
    }
    if requests % 5 == 2 {
        return b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n".to_vec();
    }
    let line = seen.head.lines().next().unwrap();
    let page = line.split_once("page=").map_or(0, |(_, rest)| rest[..1].parse::<usize>().unwrap());
    let newest_first: Vec<&Value> = events.iter().rev().skip(page * PAGE).take(PAGE).collect();
    let body = json!({ "data": newest_first, "total": events.len() }).to_string();
    let link = match (page + 1) * PAGE < events.len() {
        true => format!("link: </v1/audit?page={}>; rel=\"next\"\r\n", page + 1),
        false => String::new(),
    };
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{link}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[tokio::test]
async fn an_export_in_pages_that_refuses_now_and_then_survives_kills_without_loss_or_doubles() {
    let events = numbered("export", 4_000);
    let sent = events.clone();
    let producer = Echo::start(move |requests, seen| export(&sent, requests, seen)).await;
    let lines = "kind = \"pull\"\nevery = \"1h\"\nitems = \"/data\"\nfrom = \"2026-01-01T00:00:00Z\"\n\
                 pages = { next = \"link\" }\n\
                 cursor = { parameter = \"since\", item = \"/timestamp\", overlap = \"5m\" }";
    let mut scene = asking(&producer, "/v1/audit", lines).await;
    for round in 1..=2 {
        // Somewhere among the pages, each time somewhere else.
        scene.splunk().arrived(round * 700).await;
        scene.host.kill().await;
        scene.restart().await;
    }
    all_arrived(&scene, &events).await;
    let first = producer.seen()[0].head.lines().next().unwrap().to_owned();
    assert_eq!(first, "GET /v1/audit?since=2025-12-31T23%3A55%3A00Z HTTP/1.1");
    metrics(&scene, &["siemaphore_source_requests_total{source=\"producer\",kind=\"pull\"}"]).await;
    has_kept_the_token(&scene);
    // The run is complete and the next one is an hour away: a restart asks for nothing.
    let asked = producer.seen().len();
    assert!(scene.host.terminate().await.success());
    scene.restart().await;
    let listed = scene.ask(&["source", "list", "--json"]).await.expect(0).json();
    let listed = listed.as_array().unwrap().iter().find(|source| source["name"] == "producer").unwrap();
    assert_eq!((&listed["kind"], &listed["state"]), (&json!("pull"), &json!("fetching")));
    scene.stop().await;
    assert_eq!(producer.seen().len(), asked);
}

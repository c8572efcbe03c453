//! Producers that are wrong or hostile: answered, never obeyed, and never at the cost of the events beside them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::events::{lines, numbered};
use crate::support::{Scene, TOKEN, ids, request, try_request};

const NDJSON: &[(&str, &str)] = &[("content-type", "application/x-ndjson")];

#[tokio::test]
async fn the_good_items_beside_bad_ones_are_kept_and_the_bad_ones_named() {
    let scene = Scene::new().splunk().start().await;
    let good: Vec<String> = numbered("good", 5).iter().map(Value::to_string).collect();
    let long = format!(r#"{{"event_type":"x","text":"{}"}}"#, "a".repeat(1 << 20));
    let deep = format!(r#"{{"event_type":"x","deep":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
    let items: [(&str, Result<(), &str>); 13] = [
        (&good[0], Ok(())),
        (r#"{"event_type":"x","#, Err("JSON")),
        (&good[1], Ok(())),
        ("5", Err("object")),
        (r#"{"event_type":{"a":1}}"#, Err("event_type")),
        (&long, Err("262144")),
        (&good[2], Ok(())),
        (&deep, Err("nested")),
        (r#"{"event_type":"x","bad":NaN}"#, Err("JSON")),
        // Half a surrogate pair is JSON by its grammar, and no text that every SIEM could read.
        (r#"{"source":"aisg","request_id":"good-half","event_type":"x","half":"\ud800"}"#, Ok(())),
        (&good[3], Ok(())),
        ("\u{feff}[]", Err("JSON")),
        (&good[4], Ok(())),
    ];
    let body: Vec<&str> = items.iter().map(|(item, _)| *item).collect();
    let answer = scene.post(NDJSON, body.join("\n")).await.expect(200).json();
    assert_eq!(answer["accepted"], 6, "{answer:#}");
    let bad: Vec<(usize, &str)> =
        (0..).zip(&items).filter_map(|(place, (_, fate))| Some((place, fate.err()?))).collect();
    let refused = answer["refused"].as_array().unwrap();
    assert_eq!(refused.len(), bad.len(), "{answer:#}");
    for (refused, (place, reason)) in refused.iter().zip(bad) {
        assert_eq!(refused["index"], place, "{answer:#}");
        assert!(refused["reason"].as_str().unwrap().contains(reason), "{place}: {refused}");
    }
    let expected = ["good-0", "good-1", "good-2", "good-3", "good-4", "good-half"];
    assert_eq!(ids(&scene.splunk().arrived(6).await), expected);
    let view = scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!(
        (&view["ledger"]["accepted"], &view["ledger"]["delivered"]),
        (&6.into(), &6.into()),
        "{view:#}"
    );
    scene.stop().await;
}

#[tokio::test]
async fn a_request_without_one_good_event_is_refused_and_stores_nothing() {
    let scene = Scene::new().splunk().start().await;
    let no_text = [&br#"{"event_type":"#[..], b"\"\xff\xfe\"}"].concat();
    let nested = "[".repeat(200_000);
    for (name, body, statuses) in [
        ("truncated", &br#"{"event_type":"x""#[..], &[400][..]),
        ("invalid UTF-8", &no_text, &[400, 422]),
        ("an endless array", nested.as_bytes(), &[400, 422]),
        ("a number", b"5", &[400, 422]),
        ("nothing but rubbish", b"\0\0\0\0", &[400]),
        ("a truncated array", br#"[{"event_type":"x""#, &[400]),
        ("nothing", b"", &[400]),
        ("wrong types", br#"{"event_type":[1],"timestamp":{}}"#, &[422]),
    ] {
        let answer = scene.post(&[], body.to_vec()).await;
        assert!(statuses.contains(&answer.status), "{name}: {} {}", answer.status, answer.text);
        let error = answer.json()["error"].clone();
        assert!(error["reason"].is_string() && error["hint"].is_string(), "{name}: {}", answer.text);
    }
    for authorization in ["", "Bearer wrong", "Basic Y2FuYXJ5"] {
        let headers = [("authorization", authorization)];
        request(scene.host.intake, "POST", "/v1/events", &headers, lines(&numbered("intruder", 1)))
            .await
            .expect(401);
    }
    request(scene.host.intake, "GET", "/v1/events", &[], "").await.expect(405);
    request(scene.host.intake, "POST", "/", &[], "").await.expect(404);
    assert_eq!(scene.destination("splunk").await["ledger"]["accepted"], 0);
    scene.send(&numbered("sound", 1)).await;
    assert_eq!(ids(&scene.splunk().arrived(1).await), ["sound-0"]);
    scene.stop().await;
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_and_bombs_do_not_cost_memory() {
    let scene = Scene::new().splunk().intake("body_limit = \"2 MiB\"").start().await;
    scene.send(&numbered("warm", 100)).await;
    scene.splunk().arrived(100).await;
    let before = scene.host.peak_memory_mib();

    let large = json!({ "event_type": "x", "text": "a".repeat(3 << 20) }).to_string();
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str())];
    // The host does not read what it will refuse, so a producer that is still writing may find the connection closed.
    if let Ok(answer) = try_request(scene.host.intake, "POST", "/v1/events", &headers, large).await {
        assert!(answer.expect(413).text.contains("2097152"));
    }

    let bomb = bomb(512 << 20);
    assert!(bomb.len() < 2 << 20, "it gets past the limit of the compressed body");
    let headers = [("content-encoding", "gzip")];
    let bombs = (0..8).map(|_| scene.post(&headers, bomb.clone()));
    for answer in futures_util::future::join_all(bombs).await {
        answer.expect(413);
    }
    let grown = scene.host.peak_memory_mib() - before;
    assert!(grown < 96, "eight bombs of 512 MiB took {grown} MiB");

    scene.post(&headers, b"no gzip at all".to_vec()).await.expect(400);
    scene.post(&[("content-encoding", "br")], "{}").await.expect(415);
    scene.send(&numbered("sound", 1)).await;
    scene.splunk().arrived(101).await;
    assert_eq!(scene.destination("splunk").await["ledger"]["accepted"], 101, "nothing else was stored");
    scene.stop().await;
}

/// An event with a text of so many bytes, compressed.
fn bomb(bytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(br#"{"event_type":"x","text":""#).unwrap();
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..bytes >> 20 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.write_all(br#""}"#).unwrap();
    encoder.finish().unwrap()
}

//! What a producer may send, and what it is answered.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/intake.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use siemaphore_intake::{AppendError, IntakeConfig, Source};
use support::{TOKEN, TestIntake, gateway, gzip, source};
use tokio::sync::oneshot;

const EVENT: &str = r#"{"event_id":"e1","event_type":"blocked","severity":"high"}"#;

#[tokio::test]
async fn an_object_an_array_and_lines_are_taken() {
    let intake = TestIntake::new();
    for (content_type, body, accepted) in [
        ("application/json", r#"{"id":"1"}"#, 1),
        ("application/json; charset=utf-8", r#"[{"id":"2"},{"id":"3"}]"#, 2),
        ("application/x-ndjson", "{\"id\":\"4\"}\n{\"id\":\"5\"}\n", 2),
        ("text/plain", "{\"id\":\"6\"}\n\n{\"id\":\"7\"}", 2),
        ("application/x-www-form-urlencoded", "{\n  \"id\": \"8\"\n}", 1),
    ] {
        intake.post(&[("content-type", content_type)], body).await.expect(200, accepted);
    }
    intake.post(&[], " [ ] ").await.expect(200, 0);
    assert_eq!(intake.log.ids(), ["1", "2", "3", "4", "5", "6", "7", "8"]);
}

#[tokio::test]
async fn every_encoding_is_taken() {
    let intake = TestIntake::new();
    let zstd = zstd::encode_all(EVENT.as_bytes(), 3).unwrap();
    let mut deflate = flate2::read::ZlibEncoder::new(EVENT.as_bytes(), flate2::Compression::fast());
    let mut zlib = Vec::new();
    std::io::Read::read_to_end(&mut deflate, &mut zlib).unwrap();
    let members = [gzip(b"[{},"), gzip(b"{}]")].concat();
    for (encoding, body, accepted) in [
        ("identity", EVENT.as_bytes().to_vec(), 1),
        ("gzip", gzip(EVENT.as_bytes()), 1),
        ("GZIP", members, 2),
        ("zstd", zstd, 1),
        ("deflate", zlib, 1),
    ] {
        intake.post(&[("content-encoding", encoding)], body).await.expect(200, accepted);
    }
}

#[tokio::test]
async fn an_unknown_encoding_is_answered_with_the_known_ones() {
    let intake = TestIntake::new();
    for encoding in ["br", "gzip, gzip"] {
        let answer = intake.post(&[("content-encoding", encoding)], EVENT).await;
        answer.expect_error(415, "identity, gzip, zstd, deflate");
    }
}

#[tokio::test]
async fn only_the_token_of_a_source_opens_the_door_and_decides_the_organization() {
    let mut rotating = source("rotating", "globex", "old");
    rotating.token_digests.push(Source::digest("new"));
    let intake = TestIntake::with(IntakeConfig::default(), vec![gateway(), rotating]);
    for authorization in ["", "Bearer", "Bearer ", "Bearer wrong", "Basic old", TOKEN] {
        let answer = intake.send("POST", "/v1/events", &[("authorization", authorization)], EVENT).await;
        answer.expect_error(401, "token");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        assert!(!answer.text.contains("wrong"));
    }
    intake.send("POST", "/v1/events", &[], EVENT).await.expect_error(401, "missing");
    assert_eq!(intake.metrics.unauthorized(), 7);
    for token in ["old", "new", TOKEN] {
        let authorization = format!("bearer {token}");
        let body = r#"{"organization":"initech","org_id":"initech"}"#;
        intake.send("POST", "/v1/events", &[("authorization", &authorization)], body).await.expect(200, 1);
    }
    assert_eq!(intake.log.organizations(), ["globex", "globex", "acme"]);
}

#[tokio::test]
async fn replaced_sources_hold_for_the_next_request() {
    let intake = TestIntake::new();
    intake.post(&[], EVENT).await.expect(200, 1);
    intake.intake.replace_sources(vec![source("gateway", "acme", "another")]);
    intake.post(&[], EVENT).await.expect_error(401, "token");
    intake.send("POST", "/v1/events", &[("authorization", "Bearer another")], EVENT).await.expect(200, 1);
    assert_eq!(intake.metrics.snapshot()[0].accepted, 2);
}

#[tokio::test]
async fn a_repetition_gets_the_first_answer_with_a_mark_and_is_not_stored_again() {
    let intake = TestIntake::new();
    let body = r#"[{"id":"1"},7]"#;
    let first = intake.post(&[("idempotency-key", "k1")], body).await;
    first.expect(200, 1);
    assert_eq!(first.header("idempotent-replayed"), "");
    let packed = [("idempotency-key", "k1"), ("content-encoding", "gzip")];
    let second = intake.post(&packed, gzip(body.as_bytes())).await;
    assert_eq!((second.status, &second.text), (first.status, &first.text));
    assert_eq!(second.header("idempotent-replayed"), "true");
    intake.log.find_nothing_early();
    let third = intake.post(&[("idempotency-key", "k1")], body).await;
    assert_eq!((third.status, &third.text), (first.status, &first.text));
    assert_eq!(third.header("idempotent-replayed"), "true");
    assert_eq!(intake.log.requests(), 1);
    let snapshot = &intake.metrics.snapshot()[0];
    assert_eq!((snapshot.accepted, snapshot.repeated), (1, 2));
}

#[tokio::test]
async fn a_key_for_other_events_is_refused() {
    let intake = TestIntake::new();
    intake.post(&[("idempotency-key", "k1")], r#"{"id":"1"}"#).await.expect(200, 1);
    let other = intake.post(&[("idempotency-key", "k1")], r#"{"id":"2"}"#).await;
    other.expect_error(422, "used before");
    for key in ["", "with space", &"k".repeat(256), "é"] {
        intake.post(&[("idempotency-key", key)], EVENT).await.expect_error(400, "Idempotency-Key");
    }
    intake.post(&[("idempotency-key", &"k".repeat(255))], EVENT).await.expect(200, 1);
}

#[tokio::test]
async fn a_request_without_a_good_event_stores_nothing_and_may_be_repeated_with_its_key() {
    let intake = TestIntake::new();
    for _ in 0..2 {
        let answer = intake.post(&[("idempotency-key", "k1")], "[1,2]").await;
        answer.expect(422, 0);
        answer.expect_error(422, "no event was accepted");
    }
    assert_eq!(intake.log.requests(), 0);
}

#[tokio::test]
async fn the_store_decides_what_a_producer_does_next() {
    let intake = TestIntake::new();
    for (refusal, status, reason) in [
        (AppendError::DiskReserve { free_bytes: 1, reserve_bytes: 2 }, 503, "1 B are free"),
        (AppendError::Closed, 503, "closed"),
        (AppendError::Storage("/secret/path is broken".to_owned()), 503, "cannot be stored now"),
    ] {
        intake.log.refuse_with(refusal);
        let answer = intake.post(&[], EVENT).await;
        answer.expect_error(status, reason);
        assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
        assert!(!answer.text.contains("/secret/path"), "{}", answer.text);
    }
    assert_eq!(intake.metrics.snapshot()[0].accepted, 0);
}

#[tokio::test]
async fn a_token_of_two_sources_lets_nobody_in() {
    let (first, second) = (source("first", "acme", "shared"), source("second", "globex", "shared"));
    let intake = TestIntake::with(IntakeConfig::default(), vec![first, gateway(), second]);
    let shared = [("authorization", "Bearer shared")];
    intake.send("POST", "/v1/events", &shared, EVENT).await.expect_error(401, "no known source");
    intake.post(&[], EVENT).await.expect(200, 1);
    assert_eq!(intake.log.organizations(), ["acme"]);
}

#[tokio::test]
async fn a_source_over_its_rate_is_told_when_to_come_back() {
    let mut limited = gateway();
    limited.events_per_second = Some(10);
    let intake = TestIntake::with(IntakeConfig::default(), vec![limited]);
    intake.post(&[], "{}\n".repeat(600)).await.expect(200, 600);
    let answer = intake.post(&[], EVENT).await;
    answer.expect_error(429, "10 events a second");
    let wait: u32 = answer.header("retry-after").parse().unwrap();
    assert!((50..=60).contains(&wait), "{wait}");
    assert_eq!(intake.metrics.snapshot()[0].rate_limited, 1);
}

#[tokio::test]
async fn requests_at_the_same_time_cannot_go_over_the_rate_together() {
    let mut limited = gateway();
    limited.events_per_second = Some(10);
    let intake = TestIntake::with(IntakeConfig::default(), vec![limited]);
    // Every head is seen before the first body is whole.
    let (senders, bodies): (Vec<_>, Vec<_>) = (0..30).map(|_| oneshot::channel()).unzip();
    let requests = bodies.into_iter().map(|body| intake.post(&[], body_through(body)));
    let send = async {
        for sender in senders {
            sender.send(Ok("{}\n".repeat(1_000))).unwrap();
        }
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(requests), send);
    let refused = answers.iter().filter(|answer| answer.status == 429);
    let waits = refused.clone().map(|answer| answer.header("retry-after").parse::<u32>().unwrap());
    assert!(waits.into_iter().all(|wait| (2..=99).contains(&wait)), "what one request owes: 990 events");
    assert_eq!((refused.count(), intake.log.ids().len()), (29, 1_000));
}

#[tokio::test]
async fn events_that_could_not_be_stored_are_not_counted_against_the_rate() {
    let mut limited = gateway();
    limited.events_per_second = Some(10);
    let intake = TestIntake::with(IntakeConfig::default(), vec![limited]);
    intake.log.refuse_with(AppendError::DiskReserve { free_bytes: 1, reserve_bytes: 2 });
    for _ in 0..3 {
        intake.post(&[], "{}\n".repeat(600)).await.expect_error(503, "kept in reserve");
    }
}

#[tokio::test]
async fn what_was_removed_is_counted_and_not_stored() {
    let intake = TestIntake::new();
    let body = r#"[{"id":"1","prompt":"hush"},{"id":"2","details":{"api_key":"hush","password":"hush"}}]"#;
    let answer = intake.post(&[], body).await;
    answer.expect(200, 2);
    assert_eq!(answer.body["redacted"], 3);
    assert!(intake.log.documents().iter().all(|document| !document.contains("hush")));
    let snapshot = &intake.metrics.snapshot()[0];
    assert_eq!((snapshot.accepted, snapshot.redacted), (2, 3));
    assert_eq!(snapshot.bytes, body.len() as u64);
}

#[tokio::test]
async fn other_paths_and_methods_get_an_error_of_the_same_shape() {
    let intake = TestIntake::new();
    intake.send("GET", "/v1/events", &[], "").await.expect_error(405, "method");
    intake.send("POST", "/v1/event", &[], "").await.expect_error(404, "path");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let intake = TestIntake::new();
    let (sender, receiver) = oneshot::channel();
    let stalled = body_through(receiver);
    let answer = intake.post(&[], stalled).await;
    answer.expect_error(408, "60 seconds");
    drop(sender);
}

/// A body whose only frame comes through the channel.
fn body_through(frame: oneshot::Receiver<std::io::Result<String>>) -> Body {
    let reset = || Err(std::io::ErrorKind::ConnectionReset.into());
    Body::from_stream(futures_util::stream::once(async move { frame.await.unwrap_or_else(|_| reset()) }))
}

#[tokio::test]
async fn a_producer_that_goes_away_has_sent_nothing() {
    let intake = TestIntake::new();
    let (sender, receiver) = oneshot::channel();
    sender.send(Err(std::io::ErrorKind::ConnectionReset.into())).unwrap();
    intake.post(&[], body_through(receiver)).await.expect_error(400, "did not arrive whole");
    assert_eq!(intake.log.requests(), 0);
}

#[tokio::test]
async fn requests_wait_for_memory_and_all_get_their_turn() {
    let config = IntakeConfig {
        body_bytes: 8 * 1024,
        decompressed_bytes: 8 * 1024,
        concurrent_bytes: 16 * 1024,
        read_timeout: Duration::from_secs(60),
        ..IntakeConfig::default()
    };
    let intake = Arc::new(TestIntake::with(config, vec![gateway()]));
    // Small, because a request waits for its turn for 5 s at most, on a busy machine too.
    let body = "{\"id\":\"x\"}\n".repeat(500);
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (intake, body) = (Arc::clone(&intake), body.clone());
            tokio::spawn(async move { intake.post(&[], body).await.expect(200, 500) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(intake.log.requests(), 32);
}

/// Sends this much of a body, and never its end.
fn body_that_stops(text: String) -> Body {
    let frames = futures_util::stream::once(async move { Ok::<_, std::io::Error>(text) });
    Body::from_stream(futures_util::StreamExt::chain(frames, futures_util::stream::pending()))
}

fn small_memory() -> IntakeConfig {
    IntakeConfig { body_bytes: 256 * 1024, concurrent_bytes: 2 * 1024 * 1024, ..IntakeConfig::default() }
}

#[tokio::test(start_paused = true)]
async fn a_source_whose_requests_do_not_end_is_turned_away_and_keeps_no_other_from_sending() {
    let other = source("other", "globex", "other");
    let intake = TestIntake::with(small_memory(), vec![gateway(), other]);
    let held = || intake.post(&[], body_that_stops(" ".repeat(200 * 1024)));
    let slow = futures_util::future::join_all((0..9).map(|_| held()));
    let send = async {
        let asked = tokio::time::Instant::now();
        let other = [("authorization", "Bearer other")];
        intake.send("POST", "/v1/events", &other, "{}").await.expect(200, 1);
        assert_eq!(asked.elapsed(), Duration::ZERO);
        let answer = intake.post(&[], EVENT).await;
        answer.expect_error(503, "hold the memory");
        assert_eq!(answer.header("retry-after"), "5");
        assert_eq!(asked.elapsed().as_secs(), 5);
    };
    let (slow, ()) = tokio::join!(slow, send);
    // Two of 200 KiB fit into the 512 KiB of the source, and the others have to make room.
    assert_eq!(slow.iter().filter(|answer| answer.status == 408).count(), 2);
    assert_eq!(slow.iter().filter(|answer| answer.status == 503).count(), 7);
}

#[tokio::test(start_paused = true)]
async fn an_announced_body_takes_no_memory_before_it_arrives() {
    let intake = TestIntake::with(small_memory(), vec![gateway()]);
    let announced = [("content-length", "262144")];
    let slow = (0..7).map(|_| intake.post(&announced, body_that_stops("{".to_owned())));
    let send = intake.post(&[], EVENT);
    let (slow, answer) = tokio::join!(futures_util::future::join_all(slow), send);
    answer.expect(200, 1);
    assert!(slow.iter().all(|answer| answer.status == 408));
}

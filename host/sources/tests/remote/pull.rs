//! Exports as producers offer them: with cursors, with pages, or whole each time.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Response;
use serde_json::{Value, json};
use siemaphore_sources::{Begin, Cursor, CursorOf, Kind, Next, PullConfig};

use crate::rig::Rig;
use crate::server::{Received, Server, reply};
use crate::{SECRET, fetching, is_authorized};

fn config(server: &Server) -> PullConfig {
    PullConfig {
        fetch: fetching(server, "/export?limit=3"),
        every: Duration::from_millis(20),
        items: String::new(),
        cursor: None,
        pages: None,
        from: None,
    }
}

fn pulling(config: PullConfig) -> Rig {
    Rig::new(|_| Kind::Pull(Box::new(config)))
}

fn since_item() -> Option<Cursor> {
    let of = CursorOf::Item { pointer: "/at".to_owned(), overlap: Duration::ZERO };
    Some(Cursor { parameter: "since".to_owned(), of })
}

fn after_answer() -> Option<Cursor> {
    let of = CursorOf::Answer { pointer: "/next".to_owned() };
    Some(Cursor { parameter: "after".to_owned(), of })
}

fn event(number: usize) -> Value {
    json!({ "id": format!("e{number:04}"), "at": number })
}

fn expected(events: usize) -> Vec<String> {
    (1..=events).map(|number| format!("e{number:04}")).collect()
}

fn parameter(request: &Received, name: &str) -> Option<String> {
    let query = request.uri.query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

fn number(request: &Received, name: &str) -> usize {
    parameter(request, name).map_or(0, |value| value.parse().unwrap())
}

fn answer(body: impl ToString) -> Response<Bytes> {
    reply(200, body.to_string())
}

#[tokio::test]
async fn an_export_is_read_to_its_end_and_then_asked_for_what_came_since() {
    let last = Arc::new(AtomicUsize::new(10));
    let there = Arc::clone(&last);
    // From the given one on, three at once.
    let server = Server::answering(move |_, request| {
        assert!(is_authorized(request) && parameter(request, "limit").as_deref() == Some("3"));
        let since = number(request, "since").max(1);
        answer(json!((since..=there.load(Ordering::Relaxed)).take(3).map(event).collect::<Vec<_>>()))
    })
    .await;
    let mut rig = pulling(PullConfig { cursor: since_item(), ..config(&server) });
    rig.start();
    rig.log.wait_for(10).await;
    last.store(12, Ordering::Relaxed);
    rig.log.wait_for(12).await;
    rig.stop().await;
    assert_eq!(rig.log.ids(), expected(12));
    assert_eq!(parameter(&server.received()[0], "since"), None);
    let asked = server.received().len();
    rig.start();
    rig.until("asked again", |status| status.requests > 1).await;
    rig.stop().await;
    assert_eq!(number(&server.received()[asked], "since"), 12);
    assert_eq!(rig.log.ids(), expected(12));
}

/// Three pages, the newest events first; the second is refused once.
fn paged(number_of_request: usize, request: &Received) -> Response<Bytes> {
    let page = number(request, "page").max(1);
    if number_of_request == 1 {
        return reply(429, "");
    }
    let newest = 9 - (page - 1) * 3;
    let mut answer = answer(json!({ "data": [event(newest), event(newest - 1), event(newest - 2)] }));
    if page < 3 {
        let link = format!("</export?page={}>; rel=\"next\", </export?page=3>; rel=\"last\"", page + 1);
        answer.headers_mut().insert("link", link.parse().unwrap());
    }
    answer
}

#[tokio::test]
async fn pages_are_followed_and_a_refused_one_is_asked_for_again_while_the_cursor_waits_for_the_last() {
    let server = Server::answering(paged).await;
    let config = PullConfig {
        items: "/data".to_owned(),
        cursor: since_item(),
        pages: Some(Next::Link),
        ..config(&server)
    };
    let mut rig = pulling(config);
    rig.start();
    rig.log.wait_for(9).await;
    rig.until("asked again", |status| status.requests > 4).await;
    rig.stop().await;
    assert_eq!(rig.log.ids(), expected(9));
    let asked: Vec<(usize, usize)> =
        server.received().iter().map(|request| (number(request, "page"), number(request, "since"))).collect();
    assert_eq!(asked[..5], [(0, 0), (2, 0), (2, 0), (3, 0), (0, 9)]);
}

#[tokio::test]
async fn a_run_that_is_broken_off_between_pages_misses_nothing_and_doubles_nothing() {
    let is_open = Arc::new(AtomicUsize::new(0));
    let opened = Arc::clone(&is_open);
    let server = Server::answering(move |_, request| match number(request, "page") {
        2 if opened.load(Ordering::Relaxed) == 0 => reply(503, ""),
        _ => paged(0, request),
    })
    .await;
    let config = PullConfig {
        items: "/data".to_owned(),
        cursor: since_item(),
        pages: Some(Next::Link),
        ..config(&server)
    };
    let mut rig = pulling(config);
    rig.start();
    rig.log.wait_for(3).await;
    rig.until("refused", |status| status.problem.is_some()).await;
    // The store knows of the first page; the file may not.
    rig.stop().await;
    is_open.store(1, Ordering::Relaxed);
    rig.start();
    rig.log.wait_for(9).await;
    rig.until("done", |status| status.skipped >= 3).await;
    rig.stop().await;
    assert_eq!(rig.log.ids(), expected(9));
}

#[tokio::test]
async fn a_cursor_of_the_answer_leads_on_and_survives_a_restart_and_a_crash() {
    let server = Server::answering(|_, request| {
        let after = number(request, "after");
        let events: Vec<Value> = (after + 1..=7).take(3).map(event).collect();
        answer(json!({ "page": { "events": events }, "next": (after + events.len()).to_string() }))
    })
    .await;
    let config = PullConfig { items: "/page/events".to_owned(), cursor: after_answer(), ..config(&server) };
    let mut rig = pulling(config);
    rig.start();
    rig.log.wait_for(3).await;
    let early = fs::read(rig.checkpoint()).unwrap();
    rig.log.wait_for(7).await;
    rig.stop().await;
    // As a crash leaves it: the store is ahead of the file.
    fs::write(rig.checkpoint(), early).unwrap();
    let asked = server.received().len();
    rig.start();
    rig.until("asked again", |status| status.requests > 0).await;
    rig.stop().await;
    assert_eq!(number(&server.received()[asked], "after"), 7);
    assert_eq!(rig.log.ids(), expected(7));
}

#[tokio::test]
async fn an_export_without_a_cursor_is_asked_for_whole_and_only_what_is_new_is_taken() {
    let last = Arc::new(AtomicUsize::new(2));
    let there = Arc::clone(&last);
    let server = Server::answering(move |_, request| {
        let last = there.load(Ordering::Relaxed);
        let tag = format!("\"{last}\"");
        if request.header("if-none-match") == Some(&tag) {
            return reply(304, "");
        }
        // A file of lines, compressed as such.
        let lines: String = (1..=last).map(|number| event(number).to_string() + "\n").collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::Write::write_all(&mut encoder, lines.as_bytes()).unwrap();
        let mut answer = reply(200, encoder.finish().unwrap());
        answer.headers_mut().insert("etag", tag.parse().unwrap());
        answer
    })
    .await;
    let mut rig = pulling(config(&server));
    rig.start();
    rig.log.wait_for(2).await;
    rig.until("asked again", |status| status.requests > 2).await;
    assert_eq!(rig.status().skipped, 0, "what has not changed is not sent again");
    last.store(5, Ordering::Relaxed);
    rig.log.wait_for(5).await;
    rig.until("done", |status| status.skipped == 2).await;
    rig.stop().await;
    assert_eq!(rig.log.ids(), expected(5));
}

#[tokio::test]
async fn the_first_request_begins_where_it_is_told_to_and_times_overlap() {
    let server = Server::answering(|_, _| answer(json!([{ "id": "a", "at": "2026-02-01T00:00:00Z" }]))).await;
    let of = CursorOf::Item { pointer: "/at".to_owned(), overlap: Duration::from_secs(60) };
    let cursor = Some(Cursor { parameter: "since".to_owned(), of });
    let from = Some(Begin::At("2026-01-01T00:00:00Z".to_owned()));
    let mut rig = pulling(PullConfig { cursor, from, ..config(&server) });
    rig.start();
    rig.until("asked for more", |status| status.requests > 2).await;
    rig.stop().await;
    let asked: Vec<String> =
        server.received().iter().map(|request| parameter(request, "since").unwrap()).collect();
    // The second is the rest of the first run; the third begins the next one.
    assert_eq!(asked[..3], ["2025-12-31T23:59:00Z", "2026-02-01T00:00:00Z", "2026-01-31T23:59:00Z"]);
    assert_eq!(rig.log.ids(), ["a"]);
}

#[tokio::test]
async fn what_is_no_event_is_counted_once_and_does_not_stop_the_export() {
    let server =
        Server::answering(|_, _| answer("[{\"id\":\"a\"}, 7, {\"id\":\"b\"}, \"x\", {\"id\":\"a\"}]")).await;
    let mut rig = pulling(config(&server));
    rig.start();
    rig.has(&["a", "b"]).await;
    rig.until("asked again", |status| status.requests > 2).await;
    rig.stop().await;
    assert_eq!(rig.counters().refused, 2);
    assert_eq!(rig.log.ids(), ["a", "b"]);
}

#[tokio::test]
async fn while_the_store_takes_nothing_nothing_more_is_asked_for() {
    let server = Server::answering(|_, _| answer(json!((1..=5000).map(event).collect::<Vec<_>>()))).await;
    let mut rig = pulling(config(&server));
    rig.log.refuse(true);
    rig.start();
    rig.log.wait_for_appends(2).await;
    assert_eq!(rig.status().requests, 1);
    assert!(rig.status().problem.unwrap().contains("kept in reserve"));
    rig.log.refuse(false);
    rig.log.wait_for(5000).await;
    rig.until("well", |status| status.problem.is_none()).await;
    rig.stop().await;
    assert_eq!(rig.log.ids(), expected(5000));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_a_problem_that_is_named() {
    let long = format!("[\"{}\"]", "x".repeat(100_000));
    let leading = |next: &str| json!({ "data": [event(1)], "next": next }).to_string();
    for (body, content_type, told) in [
        ("{\"error\":\"no\"}".to_owned(), "application/json", "the answer of 127.0.0.1 has no `/data`"),
        ("<html>".to_owned(), "text/html; charset=utf-8", "answered with a page for people"),
        ("{\"data\":[{\"a\":1},{]}".to_owned(), "application/json", "has no `/data`"),
        (long, "application/json", "is longer than 50000 bytes"),
        (leading("https://elsewhere.example.com/2"), "application/json", "on another host, port or scheme"),
        (leading("//[nowhere"), "application/json", "names is no URL"),
        (leading("/export?limit=3"), "application/json", "have no end"),
    ] {
        let server = Server::answering(move |_, _| {
            let mut answer = answer(&body);
            answer.headers_mut().insert("content-type", content_type.parse().unwrap());
            answer
        })
        .await;
        let pages = Some(Next::Url { pointer: "/next".to_owned() });
        let mut config = PullConfig { items: "/data".to_owned(), pages, ..config(&server) };
        config.fetch.client.answer_bytes = 50_000;
        let mut rig = pulling(config);
        rig.start();
        let found = rig.until("refused", |status| status.problem.is_some()).await.problem.unwrap();
        assert!(found.contains(told), "{found}");
        rig.stop().await;
    }
}

#[tokio::test]
async fn a_value_that_no_cursor_can_be_is_passed_over_and_its_event_is_taken() {
    let long = "9".repeat(70_000);
    let server = Server::answering(move |number, _| {
        let odd = [json!(long), json!("9999-12-31T00:00:00Z"), json!(format!("Bearer {SECRET}"))];
        let odd = odd.get(number).cloned().unwrap_or(json!("2026-01-01T00:00:03Z"));
        let good =
            json!({ "id": format!("good{number}"), "at": format!("2026-01-01T00:00:0{}Z", number.min(3)) });
        answer(json!([{ "id": format!("odd{number}"), "at": odd }, good]))
    })
    .await;
    let mut rig = pulling(PullConfig { cursor: since_item(), ..config(&server) });
    rig.start();
    rig.log.wait_for(7).await;
    rig.stop().await;
    for request in server.received() {
        let since = parameter(&request, "since").unwrap_or("2026-01-01".to_owned());
        assert!(since.starts_with("2026-01-01"), "{since:?}");
    }
    assert!(rig.log.ids().contains(&"odd1".to_owned()));
}

#[tokio::test]
async fn an_answer_whose_cursor_cannot_be_sent_back_is_not_taken_and_says_why() {
    for (cursor, problem) in [
        ("9".repeat(70_000), "longer than 1024 bytes"),
        (format!("x{SECRET}"), "the credential of this source"),
    ] {
        let server =
            Server::answering(move |_, _| answer(json!({ "data": [event(1)], "next": cursor }))).await;
        let config = PullConfig { items: "/data".to_owned(), cursor: after_answer(), ..config(&server) };
        let mut rig = pulling(config);
        rig.start();
        let told = |status: &siemaphore_sources::SourceStatus| {
            status.problem.as_ref().is_some_and(|told| told.contains(problem))
        };
        rig.until(problem, told).await;
        rig.stop().await;
        assert_eq!(rig.log.ids(), [""; 0]);
    }
}

#[tokio::test]
async fn a_credential_that_an_answer_repeats_is_in_no_event() {
    let server =
        Server::answering(|_, _| answer(json!([{ "id": format!("e1 {SECRET}") }, { "id": "e2", "at": 2 }])))
            .await;
    let mut rig = pulling(config(&server));
    rig.start();
    rig.log.wait_for(2).await;
    rig.stop().await;
    assert_eq!(rig.log.ids(), ["e1 [secret]", "e2"]);
}

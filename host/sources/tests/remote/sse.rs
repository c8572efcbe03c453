//! Streams as servers end, refuse and repeat them. A server of these tests ends each stream after what it has to say.

use std::fs;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use siemaphore_sources::{Kind, SseConfig};

use crate::rig::Rig;
use crate::server::{Received, Server, reply};
use crate::{SECRET, fetching, is_authorized};

fn following(server: &Server) -> Rig {
    following_types(server, &[])
}

fn following_types(server: &Server, types: &[&str]) -> Rig {
    let config = SseConfig {
        fetch: fetching(server, "/events"),
        event_types: types.iter().map(|one| (*one).to_owned()).collect(),
        idle_timeout: Duration::from_secs(60),
    };
    Rig::new(|_| Kind::Sse(Box::new(config)))
}

fn stream(text: impl Into<Bytes>) -> Response<Bytes> {
    let mut answer = reply(200, text);
    answer.headers_mut().insert("content-type", "text/event-stream; charset=utf-8".parse().unwrap());
    answer
}

fn event(id: usize) -> String {
    format!("id: {id}\ndata: {{\"id\":\"e{id:04}\"}}\n\n")
}

/// Has the events 1 to `last`, sends a few of them behind the last one that the client knows, and ends in the middle of
/// the next.
fn resuming(last: usize, at_once: usize) -> impl Fn(usize, &Received) -> Response<Bytes> {
    move |_, request| {
        assert!(is_authorized(request) && request.header("accept") == Some("text/event-stream"));
        let known = request.header("last-event-id").map_or(0, |id| id.parse::<usize>().unwrap());
        let events: String = (known + 1..=last.min(known + at_once)).map(event).collect();
        stream(format!("retry: 1\n\n{events}id: {}\ndata: {{\"id\":\"half", known + at_once + 1))
    }
}

fn expected(events: usize) -> Vec<String> {
    (1..=events).map(|id| format!("e{id:04}")).collect()
}

#[tokio::test]
async fn a_stream_that_is_cut_again_and_again_is_resumed_behind_what_is_stored() {
    let server = Server::answering(resuming(12, 3)).await;
    let mut rig = following(&server);
    rig.start();
    rig.log.wait_for(12).await;
    // Once more, without anything to give.
    rig.until("asked again", |status| status.requests > 4).await;
    assert_eq!(rig.log.ids(), expected(12));
    rig.stop().await;
    assert_eq!(server.received()[0].header("last-event-id"), None);
}

#[tokio::test]
async fn a_restart_goes_on_behind_the_last_event_that_was_stored() {
    let server = Server::answering(resuming(4, 2)).await;
    let mut rig = following(&server);
    rig.start();
    rig.log.wait_for(2).await;
    let early = fs::read(rig.checkpoint()).unwrap();
    rig.log.wait_for(4).await;
    rig.stop().await;
    // As a crash leaves it: the store is ahead of the file.
    fs::write(rig.checkpoint(), early).unwrap();
    let asked = server.received().len();
    rig.start();
    rig.until("asked again", |status| status.requests > 0).await;
    rig.stop().await;
    assert_eq!(server.received()[asked].header("last-event-id"), Some("4"));
    assert_eq!(rig.log.ids(), expected(4));
}

#[tokio::test]
async fn while_the_store_takes_nothing_the_stream_waits_with_what_it_has() {
    let server = Server::answering(resuming(5_000, 5_000)).await;
    let mut rig = following(&server);
    rig.log.refuse(true);
    rig.start();
    rig.log.wait_for_appends(2).await;
    let status = rig.status();
    assert!(status.problem.unwrap().contains("kept in reserve"));
    assert_eq!(status.requests, 1);
    rig.log.refuse(false);
    rig.log.wait_for(5_000).await;
    rig.until("well", |status| status.problem.is_none()).await;
    rig.stop().await;
    assert_eq!(rig.log.ids(), expected(5_000));
}

#[tokio::test]
async fn events_of_other_types_are_passed_over_and_their_ids_count() {
    let server = Server::answering(|number, _| match number {
        0 => stream(
            "retry: 1\nevent: audit\nid: 1\ndata: {\"id\":\"a\"}\n\n: life\n\nevent: ping\nid: 2\ndata: {\"id\":\"b\"}\n\n\
             id: 3\ndata: {\"id\":\"c\"}\n\nevent: audit\nid: 4\ndata: [{\"id\":\"d\"},\ndata: {\"id\":\"e\"}]\n\n\
             event: ping\nid: 5\ndata\n\n",
        ),
        _ => reply(204, ""),
    })
    .await;
    let mut rig = following_types(&server, &["audit"]);
    rig.start();
    rig.has(&["a", "d", "e"]).await;
    let status = rig.until("told to stop", |status| status.problem.is_some()).await;
    assert_eq!((status.skipped, status.connected), (3, Some(false)));
    rig.stop().await;
    assert_eq!(server.received()[1].header("last-event-id"), Some("5"));
}

#[tokio::test]
async fn what_is_no_event_is_counted_and_the_stream_goes_on() {
    let long = "x".repeat(2 * 1024 * 1024);
    let server = Server::answering(move |number, _| match number {
        0 => stream(format!(
            "retry: 1\ndata: hello\n\ndata: {{\"id\":\"a\"}}\n\ndata: {long}\n\ndata: [{{\"id\":\"b\"}},\n\n\
             data: \u{0}\n\ndata:\n\ndata: [DONE]\n\nid: 9\ndata: {{\"id\":\"c\"}}\n\n"
        )),
        _ => reply(204, ""),
    })
    .await;
    let mut rig = following(&server);
    rig.start();
    rig.has(&["a", "b", "c"]).await;
    rig.until("told to stop", |status| status.problem.is_some()).await;
    assert_eq!(rig.counters().refused, 5);
    rig.stop().await;
    assert_eq!(server.received()[1].header("last-event-id"), Some("9"));
}

#[tokio::test]
async fn a_server_that_has_nothing_more_is_not_asked_again_until_a_restart() {
    let server = Server::answering(|_, _| reply(204, "")).await;
    let mut rig = following(&server);
    for restarts in 1..=2 {
        rig.start();
        let status = rig.until("told to stop", |status| status.problem.is_some()).await;
        assert!(status.problem.unwrap().contains("answered 204"));
        rig.stop().await;
        assert_eq!(server.received().len(), restarts);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_a_problem_that_is_named() {
    for (status, content_type, told) in [
        (401, "text/event-stream", "127.0.0.1 answered 401"),
        (403, "text/html", "127.0.0.1 answered 403"),
        (404, "text/html", "127.0.0.1 answered 404"),
        (307, "text/html", "127.0.0.1 answered 307"),
        (503, "text/event-stream", "127.0.0.1 answered 503"),
        (200, "text/html; charset=utf-8", "127.0.0.1 answered with text/html in place of text/event-stream"),
        (200, "x/canary-fetch-token", "127.0.0.1 answered with x/[secret] in place of text/event-stream"),
    ] {
        let server = Server::answering(move |_, _| {
            let mut answer = stream("data: {\"id\":\"a\"}\n\n");
            *answer.status_mut() = status.try_into().unwrap();
            answer.headers_mut().insert("content-type", content_type.parse().unwrap());
            answer
        })
        .await;
        let mut rig = following(&server);
        rig.start();
        let found = rig.until("refused", |status| status.problem.is_some()).await.problem.unwrap();
        assert_eq!(found, told);
        assert!(!found.contains(SECRET));
        rig.stop().await;
        assert_eq!(rig.log.ids(), [] as [&str; 0]);
    }
}

#[tokio::test]
async fn a_stream_that_comes_compressed_unasked_is_refused_with_what_to_do() {
    let server = Server::answering(|_, request| {
        assert_eq!(request.header("accept-encoding"), Some("identity"));
        let mut answer = stream("");
        answer.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        answer
    })
    .await;
    let mut rig = following(&server);
    rig.start();
    let found = rig.until("refused", |status| status.problem.is_some()).await.problem.unwrap();
    assert!(found.contains("compressed the stream (gzip)"), "{found}");
    rig.stop().await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_asked_again() {
    let (sender, pieces) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::saying(pieces).await;
    let config = SseConfig {
        fetch: fetching(&server, "/events"),
        event_types: Vec::new(),
        idle_timeout: Duration::from_millis(300),
    };
    let mut rig = Rig::new(|_| Kind::Sse(Box::new(config)));
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nretry: 1\n\n";
    sender.send(Bytes::from(format!("{head}{}", event(1)))).unwrap();
    rig.start();
    rig.has(&["e0001"]).await;
    rig.until("asked again", |status| status.requests > 1).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_credential_that_a_stream_repeats_is_neither_stored_nor_sent_back_as_an_id() {
    let server = Server::answering(|_, _| {
        let repeated = format!("id: Bearer {SECRET}\ndata: {{\"id\":\"e1 {SECRET}\"}}\n\n");
        stream(format!("retry: 1\n\n{repeated}"))
    })
    .await;
    let mut rig = following(&server);
    rig.start();
    rig.until("asked again", |status| status.requests > 2).await;
    rig.stop().await;
    let ids = rig.log.ids();
    assert!(!ids.is_empty() && ids.iter().all(|id| id == "e1 [secret]"), "{ids:?}");
    assert!(server.received().iter().all(|request| request.header("last-event-id").is_none()));
    assert!(!fs::read_to_string(rig.checkpoint()).unwrap().contains(SECRET));
}

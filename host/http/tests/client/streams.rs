//! Answers that are read as they come.

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::*;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
/// Only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

async fn talking() -> (Server, UnboundedSender<Bytes>) {
    let (sender, pieces) = unbounded_channel();
    (Server::saying(pieces).await, sender)
}

fn say(sender: &UnboundedSender<Bytes>, piece: &'static [u8]) {
    sender.send(Bytes::from_static(piece)).expect("the server listens");
}

fn get(url: Url) -> Request {
    Request { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() }
}

#[tokio::test]
async fn a_stream_is_read_as_it_comes_and_outlives_the_limit_of_a_request() {
    let (server, sender) = talking().await;
    // It passes while the first piece is waited for.
    let config = ClientConfig { request_timeout: Duration::from_millis(100), ..config(&server) };
    let client = Client::new(&config).expect("a client");
    say(&sender, HEAD);
    let mut stream = client.open(get(server.url("/events")), PATIENCE).await.expect("a head");
    assert_eq!((stream.status, stream.headers["content-type"].as_bytes()), (200, &b"text/event-stream"[..]));
    assert_eq!(stream.ready(), None);
    let late = tokio::time::timeout(Duration::from_millis(300), stream.next()).await;
    assert!(late.is_err(), "{late:?}");
    say(&sender, b"one");
    assert_eq!(stream.next().await, Ok(Some(Bytes::from_static(b"one"))));
    say(&sender, b"two");
    assert_eq!(stream.next().await, Ok(Some(Bytes::from_static(b"two"))));
    drop(sender);
    assert!(!matches!(stream.next().await, Ok(Some(_))));
}

#[tokio::test]
async fn a_stream_that_is_silent_is_given_up() {
    let (server, sender) = talking().await;
    let idle_timeout = Duration::from_millis(200);
    let silent = client(&server).open(get(server.url("/events")), idle_timeout).await;
    assert!(matches!(silent, Err(SendError::Timeout { .. })), "{:?}", silent.err());
    drop(sender);
    let (server, sender) = talking().await;
    say(&sender, HEAD);
    let mut stream = client(&server).open(get(server.url("/events")), idle_timeout).await.expect("a head");
    let error = stream.next().await.expect_err("nothing comes");
    assert_eq!(error, SendError::Silent { host: "127.0.0.1".into(), after: idle_timeout });
    assert!(!error.needs_operator() && !error.hint().is_empty());
}

#[tokio::test]
async fn a_stream_goes_where_any_request_may_go() {
    let (server, sender) = talking().await;
    say(&sender, HEAD);
    let closed = Client::new(&ClientConfig { egress: Arc::default(), ..config(&server) }).expect("a client");
    let refused = closed.open(get(server.url("/")), PATIENCE).await;
    assert!(matches!(refused, Err(SendError::Url(_))), "{:?}", refused.err());
    let unknown = Client::new(&ClientConfig { ca_file: None, ..config(&server) }).expect("a client");
    let refused = unknown.open(get(server.url("/")), PATIENCE).await;
    assert!(matches!(refused, Err(SendError::Tls { .. })), "{:?}", refused.err());
}

//! The intake over a real connection, with HTTP written and read by hand.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/intake.rs"]
mod support;

use support::{TOKEN, TestIntake};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves the intake on a free port and returns what it answers to these bytes.
async fn exchange(intake: &TestIntake, request: &[&[u8]]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = intake.intake.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    for part in request {
        stream.write_all(part).await.unwrap();
        stream.flush().await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    server.abort();
    answer
}

fn head(more: &str) -> Vec<u8> {
    let head = "POST /v1/events HTTP/1.1\r\nhost: intake\r\nconnection: close\r\n";
    format!("{head}authorization: Bearer {TOKEN}\r\n{more}\r\n").into_bytes()
}

#[tokio::test]
async fn a_body_in_chunks_is_taken() {
    let intake = TestIntake::new();
    let head = head("transfer-encoding: chunked\r\n");
    let parts: [&[u8]; 4] = [&head, b"8\r\n{\"id\":\"1\r\n", b"5\r\n\"}\n{}\r\n", b"0\r\n\r\n"];
    let answer = exchange(&intake, &parts).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("content-type: application/json"), "{answer}");
    assert!(answer.ends_with(r#"{"accepted":2,"refused":[]}"#), "{answer}");
    assert_eq!(intake.log.ids(), ["1", ""]);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_sent() {
    let intake = TestIntake::new();
    let answer = exchange(&intake, &[&head("content-length: 999999999\r\nexpect: 100-continue\r\n")]).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("more than 16777216 bytes"), "{answer}");
}

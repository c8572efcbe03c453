//! A producer that always has several requests in flight.
//!
//! Bodies are made before they are sent and differ in identifiers and times, so that nothing downstream can be lucky:
//! neither deduplication nor compression sees the same event twice.

use std::net::SocketAddr;
use std::time::SystemTime;

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::host::TOKEN;

const EVENTS_A_REQUEST: u64 = 500;
const REQUESTS_IN_FLIGHT: u64 = 8;

pub(crate) struct Driver {
    intake: SocketAddr,
    next: u64,
}

impl Driver {
    pub(crate) fn new(intake: SocketAddr) -> Driver {
        Driver { intake, next: 0 }
    }

    /// Sends so many events, all accepted, and returns their bytes.
    pub(crate) async fn send(&mut self, events: u64) -> Result<u64> {
        let requests = events.div_ceil(EVENTS_A_REQUEST);
        let mut connections = JoinSet::new();
        for connection in 0..REQUESTS_IN_FLIGHT {
            let intake = self.intake;
            let numbers: Vec<(u64, u64)> = (connection..requests)
                .step_by(REQUESTS_IN_FLIGHT as usize)
                .map(|request| request * EVENTS_A_REQUEST)
                .map(|first| (self.next + first, EVENTS_A_REQUEST.min(events - first)))
                .collect();
            connections.spawn(send_all(intake, numbers));
        }
        let mut bytes = 0;
        while let Some(sent) = connections.join_next().await {
            bytes += sent??;
        }
        self.next += events;
        Ok(bytes)
    }
}

async fn send_all(intake: SocketAddr, requests: Vec<(u64, u64)>) -> Result<u64> {
    let stream = TcpStream::connect(intake).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut bytes = 0;
    for (first, count) in requests {
        let body = body(first, count);
        bytes += body.len() as u64;
        post(&mut sender, body).await?;
    }
    Ok(bytes)
}

async fn post(sender: &mut SendRequest<Full<Bytes>>, body: String) -> Result<()> {
    let request = Request::post("/v1/events")
        .header("host", "siemaphore")
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/x-ndjson")
        .body(Full::from(body))?;
    let mut response = sender.send_request(request).await?;
    let status = response.status();
    let answer = response.body_mut().collect().await?.to_bytes();
    ensure!(status == 200, "the intake answered {status}: {}", String::from_utf8_lossy(&answer));
    Ok(())
}

fn body(first: u64, count: u64) -> String {
    let now = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
    let mut body = String::with_capacity(count as usize * 800);
    for number in first..first + count {
        push_event(&mut body, number, &now);
        body.push('\n');
    }
    body
}

const TYPES: [(&str, &str); 4] = [
    ("dlp.pii_blocked", "high"),
    ("dlp.injection_blocked", "critical"),
    ("dlp.pii_redacted", "medium"),
    ("loop.detected", "high"),
];

/// An event of about 750 bytes. Its identifiers look random, as real ones do: they are what does not compress.
fn push_event(body: &mut String, number: u64, now: &str) {
    use std::fmt::Write;
    let (kind, severity) = TYPES[(number % 4) as usize];
    let (a, b, c) = (scrambled(number, 1), scrambled(number, 2), scrambled(number, 3));
    let written = write!(
        body,
        r#"{{"event_type":"{kind}","project_id":"proj_{project:04}","request_id":"req_{a:016x}{b:016x}","severity":"{severity}","source":"aisg","timestamp":"{now}","details":{{"entities_found":["SSN","CREDIT_CARD","EMAIL"],"action":"blocked","model":"gpt-4.1","provider":"openai","direction":"request","policy":"pii-guard-default","policy_version":"2026-05-01","user_id":"usr_{c:016x}","session_id":"ses_{b:016x}","client_ip":"10.{ip1}.{ip2}.17","user_agent":"acme-support-assistant/4.12.1 (linux; x86_64) python-httpx/0.28","endpoint":"/v1/chat/completions","region":"eu-central-1","latency_ms":{latency},"tokens_estimated":{tokens},"confidence":0.{confidence:04},"detector":"presidio-2.2.358","trace_id":"{a:016x}{c:016x}"}}}}"#,
        project = number % 300,
        ip1 = a % 256,
        ip2 = b % 256,
        latency = c % 900,
        tokens = a % 8_000,
        confidence = b % 10_000,
    );
    debug_assert!(written.is_ok());
}

/// SplitMix64.
fn scrambled(number: u64, salt: u64) -> u64 {
    let mut mixed = (number ^ (salt << 56)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

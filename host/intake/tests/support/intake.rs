//! An intake with one source, `gateway` of `acme`, and a way to send it requests.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

#[path = "log.rs"]
pub mod log;

use std::io::Write;
use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use siemaphore_intake::{Intake, IntakeConfig, IntakeMetrics, Source};
use siemaphore_model::{Normaliser, Redaction};
use tower::ServiceExt;

use self::log::MemoryLog;

pub const TOKEN: &str = "token-of-the-gateway";

pub struct TestIntake {
    pub intake: Intake,
    pub log: Arc<MemoryLog>,
    pub metrics: Arc<IntakeMetrics>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl TestIntake {
    pub fn new() -> TestIntake {
        TestIntake::with(IntakeConfig::default(), vec![gateway()])
    }

    pub fn with(config: IntakeConfig, sources: Vec<Source>) -> TestIntake {
        let log = Arc::new(MemoryLog::default());
        let metrics = Arc::new(IntakeMetrics::default());
        let intake = Intake::new(config, sources, Arc::clone(&log) as _, Arc::clone(&metrics));
        TestIntake { intake, log, metrics }
    }

    /// Posts with the gateway's token.
    pub async fn post(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let authorization = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend_from_slice(headers);
        self.send("POST", "/v1/events", &all, body).await
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.intake.router().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"));
        Answer { status, headers, text, body }
    }
}

impl Answer {
    /// The status and the number of accepted events; panics with the whole answer otherwise.
    pub fn expect(&self, status: u16, accepted: u64) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.body["accepted"], accepted, "{}", self.text);
    }

    /// An error of the stable shape, with this in its reason.
    pub fn expect_error(&self, status: u16, reason: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        let error = &self.body["error"];
        assert!(error["reason"].as_str().unwrap().contains(reason), "{}", self.text);
        assert!(!error["hint"].as_str().unwrap().is_empty(), "{}", self.text);
    }

    /// Index and reason of each refused event.
    pub fn refused(&self) -> Vec<(u64, &str)> {
        let list = self.body["refused"].as_array().unwrap();
        list.iter().map(|item| (item["index"].as_u64().unwrap(), item["reason"].as_str().unwrap())).collect()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub fn gateway() -> Source {
    source("gateway", "acme", TOKEN)
}

pub fn source(name: &str, organization: &str, token: &str) -> Source {
    Source {
        name: name.to_owned(),
        organization: organization.to_owned(),
        token_digests: vec![Source::digest(token)],
        signature: None,
        normaliser: Arc::new(Normaliser::new("auto", &Redaction::default()).unwrap()),
        schema: None,
        events_per_second: None,
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

//! Microseconds for one event from raw text to buffer, with and without redaction: `cargo bench -p siemaphore-model`.

use std::hint::black_box;
use std::time::Instant;

use serde_json::Value;
use siemaphore_model::normalise::{Context, Normaliser, Scratch};
use siemaphore_model::{EventBuffer, Redaction};

const EVENTS: usize = 100_000;
const ROUNDS: usize = 15;

/// 750 bytes in the shape that AI Security Gateway documents, without and with content that is redacted.
fn raw_event(index: usize, content: &str) -> String {
    let head = format!(
        r#"{{"event_type":"dlp.pii_blocked","project_id":"proj_abc123","request_id":"req_{index:08}","severity":"high","source":"aisg","timestamp":"2026-06-08T20:15:30.125Z","details":{{"entities_found":["SSN","CREDIT_CARD"],"action":"blocked","model":"gpt-4.1","provider":"openai","policy":"pii-default","user":{{"id":"usr_8f3a2b1c","email":"j.chen@example.com","department":"engineering"}},"usage":{{"tokens_in":1250,"tokens_out":340,"latency_ms":145,"cost_usd":0.0089}},{content}"note":""#
    );
    let tail = r#""}}"#;
    let note = "x".repeat(750 - head.len() - tail.len());
    head + &note + tail
}

fn main() {
    let prompt = r#""prompt":"please translate the following text","arguments":{"q":"select 1"},"#;
    let plain: Vec<String> = (0..1000).map(|index| raw_event(index, "")).collect();
    let secret: Vec<String> = (0..1000).map(|index| raw_event(index, prompt)).collect();
    normalise("aisg, redaction off", &plain, "aisg", &Redaction::off());
    normalise("auto, redaction off", &plain, "auto", &Redaction::off());
    normalise("auto, nothing to redact", &plain, "auto", &Redaction::default());
    normalise("auto, two values redacted", &secret, "auto", &Redaction::default());
    // To compare with on the same machine at the same time.
    measure("serde_json, only the grammar", &plain, || {
        |raw: &str| drop(black_box(serde_json::from_str::<serde::de::IgnoredAny>(raw)))
    });
    measure("serde_json, parse and write", &plain, || {
        |raw: &str| drop(black_box(serde_json::from_str::<Value>(raw).map(|value| value.to_string())))
    });
}

fn normalise(name: &str, raw: &[String], profile: &str, redaction: &Redaction) {
    let normaliser = Normaliser::new(profile, redaction).expect("shipped profiles are valid");
    let context = Context { organization: "acme", source: "gateway", received_ns: 1_780_949_731_000_000_000 };
    measure(name, raw, || {
        let mut scratch = Scratch::default();
        let mut buffer = EventBuffer::with_capacity(1 << 20);
        let (normaliser, context) = (&normaliser, &context);
        move |raw: &str| {
            normaliser.normalise(raw, context, &mut scratch, &mut buffer).expect("a valid event");
        }
    });
}

/// Prints the best of some rounds; `start` prepares one batch.
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn measure<F: FnMut(&str)>(name: &str, raw: &[String], start: impl Fn() -> F) {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..EVENTS / raw.len() {
            let mut take = start();
            raw.iter().for_each(|raw| take(raw));
        }
        best = best.min(started.elapsed().as_secs_f64() * 1e6 / EVENTS as f64);
    }
    println!("{name:<30} {best:.2} µs an event");
}

//! Microseconds for one event from raw text to buffer, with and without redaction: `cargo bench -p siemaphore-model`.

use std::hint::black_box;
use std::time::Instant;

use siemaphore_model::normalise::{Context, Normaliser, Scratch};
use siemaphore_model::{EventBuffer, Redaction};

const EVENTS: usize = 200_000;
const ROUNDS: usize = 5;

/// 750 bytes in the shape that AI Security Gateway documents, without and with content that is redacted.
fn raw_event(index: usize, content: &str) -> String {
    let head = format!(
        r#"{{"event_type":"dlp.pii_blocked","project_id":"proj_abc123","request_id":"req_{index:08}","severity":"high","source":"aisg","timestamp":"2026-06-08T20:15:30.125Z","details":{{"entities_found":["SSN","CREDIT_CARD"],"action":"blocked","model":"gpt-4.1","provider":"openai","policy":"pii-default","user":{{"id":"usr_8f3a2b1c","email":"j.chen@example.com","department":"engineering"}},"usage":{{"tokens_in":1250,"tokens_out":340,"latency_ms":145,"cost_usd":0.0089}},{content}"note":""#
    );
    let tail = r#""}}"#;
    let note = "x".repeat(750 - head.len() - tail.len());
    head + &note + tail
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn main() {
    let context = Context { organization: "acme", source: "gateway", received_ns: 1_780_949_731_000_000_000 };
    let prompt = r#""prompt":"please translate the following text","arguments":{"q":"select 1"},"#;
    for (name, content, profile, redaction) in [
        ("aisg, redaction off", "", "aisg", Redaction::off()),
        ("auto, redaction off", "", "auto", Redaction::off()),
        ("auto, nothing to redact", "", "auto", Redaction::default()),
        ("auto, two values redacted", prompt, "auto", Redaction::default()),
    ] {
        let normaliser = Normaliser::new(profile, &redaction).expect("shipped profiles are valid");
        let raw: Vec<String> = (0..1000).map(|index| raw_event(index, content)).collect();
        let mut scratch = Scratch::default();
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            for batch in 0..EVENTS / raw.len() {
                let mut buffer = EventBuffer::with_capacity(1 << 20);
                for raw in &raw {
                    normaliser.normalise(raw, &context, &mut scratch, &mut buffer).expect("a valid event");
                }
                black_box((batch, buffer));
            }
            best = best.min(started.elapsed().as_secs_f64() * 1e6 / EVENTS as f64);
        }
        println!("{name:<28} {best:.2} µs an event");
    }
}

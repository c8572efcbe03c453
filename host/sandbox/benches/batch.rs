//! What isolation costs: the same Splunk records made natively and in the sandbox, in one run on one thread.
//!
//! `cargo bench -p siemaphore-sandbox` prints the table. Only the ratios mean something on another machine, and each is
//! taken between the best rounds: noise makes a round slower, never faster.

#![allow(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "../tests/support/events.rs"]
mod events;

use std::hint::black_box;
use std::time::{Duration, Instant};

use events::push;
use siemaphore_formatter_splunk::Splunk;
use siemaphore_model::{Event, EventBuffer};
use siemaphore_sandbox::{Configuration, GuestLimits, Sandbox, SandboxConfig};
use siemaphore_sdk::testkit;

const EVENTS: usize = 500;
const ROUNDS: usize = 400;
/// A round of each in turn, so that a slow moment of the machine meets them all.
const WARM_UP: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let buffer = sample();
    let events: Vec<Event<'_>> = buffer.iter().collect();
    let sandbox = Sandbox::new(SandboxConfig::default())?;
    let splunk = siemaphore_bundle::formatters()
        .iter()
        .find(|formatter| formatter.name == "splunk")
        .ok_or("the Splunk formatter is not bundled")?;
    let formatter = sandbox.load(splunk.name, splunk.component, GuestLimits::default())?;
    let settings = formatter.description().settings_example.clone();
    let configuration = Configuration { settings, destination: "bench".to_owned() };
    let native =
        testkit::configure::<Splunk>(&configuration.settings).map_err(|problems| format!("{problems:?}"))?;
    let native_events = native_events(&events);
    let records = formatter.format(&configuration, &events)?.records;
    assert_eq!(records.data, native.format(&native_events).data, "both must do the same work");
    let figures = formatter.format(&configuration, &events)?.figures;

    let mut splice = Best::default();
    let mut rebuild = Best::default();
    let mut reused = Best::default();
    let mut fresh = Best::default();
    for round in 0..WARM_UP + ROUNDS {
        if round == WARM_UP {
            for best in [&mut splice, &mut rebuild, &mut reused, &mut fresh] {
                *best = Best::default();
            }
        }
        splice.time(|| native.format(&native_events));
        rebuild.time(|| native_rebuild(&events));
        fresh.time(|| formatter.format(&configuration, &events))?;
        // The second call of an instance is the warm one. There is no hundredth: formatters are made for one batch and
        // may never give memory back.
        let mut session = formatter.open(&configuration)?;
        session.format(&events)?;
        reused.time(|| session.format(&events))?;
    }

    let bytes: usize = events.iter().map(|event| event.document().len()).sum();
    println!(
        "{EVENTS} events of {} bytes, Splunk records, best of {ROUNDS} rounds, us an event:",
        bytes / EVENTS
    );
    for (name, best) in [
        ("native splice", &splice),
        ("native parse and rebuild", &rebuild),
        ("sandbox, reused instance", &reused),
        ("sandbox, fresh instance", &fresh),
    ] {
        println!("  {name:<26} {:>7.3}", best.0.as_secs_f64() * 1e6 / EVENTS as f64);
    }
    println!("ratios:");
    println!("  fresh / reused             {:>7.2}   (at most 1.5)", fresh.over(&reused));
    println!("  fresh / native splice      {:>7.2}   (at most 7)", fresh.over(&splice));
    println!("  fresh / parse and rebuild  {:>7.2}   (at most 0.33)", fresh.over(&rebuild));
    println!("one fresh batch: {figures:?}");
    Ok(())
}

/// The fastest round.
struct Best(Duration);

impl Default for Best {
    fn default() -> Best {
        Best(Duration::MAX)
    }
}

impl Best {
    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = black_box(work());
        self.0 = self.0.min(begun.elapsed());
        result
    }

    fn over(&self, other: &Best) -> f64 {
        self.0.as_secs_f64() / other.0.as_secs_f64()
    }
}

/// What a gateway sends: a dozen members, some nested, about 750 bytes.
fn sample() -> EventBuffer {
    let mut bytes = Vec::new();
    for number in 0..EVENTS {
        let document = format!(
            concat!(
                r#"{{"id":"evt_{0:08}","type":"dlp.pii_blocked","timestamp":"2026-10-01T12:00:00.123Z","severity":"high","#,
                r#""organization":"acme","project":"chatbot","actor":{{"type":"user","id":"u-{0}","email":"user{0}@example.com","#,
                r#""ip":"203.0.113.{1}"}},"action":{{"name":"chat.completion","outcome":"blocked","reason":"personal data in prompt"}},"#,
                r#""model":{{"provider":"example","name":"large-4","temperature":0.7}},"policy":{{"id":"pol_17","name":"No personal "#,
                r#"data leaves","version":12,"matches":["EMAIL","IBAN","PHONE"]}},"usage":{{"input_tokens":{2},"output_tokens":0,"#,
                r#""cost_usd":0.00231}},"trace":{{"request_id":"req-9f3c{0:08x}","session_id":"s-77aa01{0:04}","span":"4bf92f3577b34da6"}},"#,
                r#""labels":{{"region":"eu-central-1","environment":"production","team":"payments","tier":"gold"}},"redacted":true}}"#
            ),
            number,
            number % 250,
            number * 7
        );
        push(&mut bytes, number, &document);
    }
    EventBuffer::from_bytes(bytes).unwrap_or_default()
}

/// The events as the formatter's own code sees them: what it does natively, without a sandbox around it, is the same
/// splice to the byte.
fn native_events(events: &[Event<'_>]) -> Vec<siemaphore_sdk::Event> {
    let severity = |event: &Event<'_>| match event.severity() {
        siemaphore_model::Severity::Informational => siemaphore_sdk::Severity::Informational,
        siemaphore_model::Severity::Low => siemaphore_sdk::Severity::Low,
        siemaphore_model::Severity::Medium => siemaphore_sdk::Severity::Medium,
        siemaphore_model::Severity::High => siemaphore_sdk::Severity::High,
        siemaphore_model::Severity::Critical => siemaphore_sdk::Severity::Critical,
    };
    let native = events.iter().map(|event| siemaphore_sdk::Event {
        key: event.key().to_string(),
        id: event.id().to_owned(),
        event_type: event.event_type().to_owned(),
        timestamp: event.timestamp().to_owned(),
        timestamp_ns: event.timestamp_ns(),
        received_ns: event.received_ns(),
        severity: severity(event),
        source: event.source().to_owned(),
        producer: event.producer().to_owned(),
        organization: event.organization().to_owned(),
        project: event.project().map(str::to_owned),
        document: event.document().to_owned(),
    });
    native.collect()
}

/// What most pipelines do: parse into a tree, put it into another, print that.
fn native_rebuild(events: &[Event<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for event in events {
        let document: serde_json::Value = serde_json::from_str(event.document()).unwrap_or_default();
        let record = serde_json::json!({
            "time": event.timestamp_ns() / 1_000_000_000,
            "host": event.organization(),
            "source": event.source(),
            "sourcetype": "siemaphore:event",
            "fields": {
                "event_type": event.event_type(),
                "severity": event.severity().as_str(),
                "key": event.key().to_hex().as_str(),
            },
            "event": document,
        });
        // Writing to memory does not fail.
        serde_json::to_writer(&mut out, &record).unwrap_or_default();
    }
    out
}

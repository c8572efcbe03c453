//! What storing costs: events per second and CPU seconds per million events of about 750 bytes, append and load apart.
//!
//! Run with `cargo bench -p siemaphore-store`. An optional number says how many thousand events to store.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the benchmark, as in a test"
)]

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/store/support.rs"]
mod support;

use siemaphore_model::{EventBuffer, Severity};
use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};
use support::{Rig, buffer, encode, plain};

const EVENTS_PER_APPEND: u64 = 100;
const CONCURRENT: u64 = 32;

fn main() {
    let thousands: u64 = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(500);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(thousands * 1000));
}

async fn run(events: u64) {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let requests: Vec<EventBuffer> = (0..200).map(request).collect();
    let bytes: usize = requests.iter().map(|request| request.as_bytes().len()).sum();
    let event_bytes = bytes as u64 / (requests.len() as u64 * EVENTS_PER_APPEND);

    let appending = Measure::start();
    let tasks: Vec<_> = (0..CONCURRENT)
        .map(|task| {
            let (store, requests) = (rig.store.clone(), requests.clone());
            tokio::spawn(async move {
                let appends = events / EVENTS_PER_APPEND / CONCURRENT;
                for request in requests.iter().cycle().skip(task as usize * 7).take(appends as usize) {
                    store.append(plain("acme", request.clone())).await.unwrap();
                }
                appends * EVENTS_PER_APPEND
            })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        stored += task.await.unwrap();
    }
    appending.report("append", stored);
    let status = rig.store.status().await.unwrap();
    let ratio = (stored * event_bytes) as f64 / status.size_bytes as f64;
    println!(
        "  {event_bytes} bytes an event, {} commits, {} blocks, {ratio:.1}x smaller",
        status.commits, status.blocks
    );

    let loading = Measure::start();
    let mut from = 0;
    let mut loaded = 0;
    while let Some(block) = rig.store.next_block("splunk", from).await.unwrap() {
        loaded += black_box(rig.store.load(block.block).await.unwrap()).len() as u64;
        from = block.first + block.count;
    }
    loading.report("load", loaded);

    let settling = Measure::start();
    let positions = *rig.store.appended().borrow() - stored..*rig.store.appended().borrow();
    for start in positions.clone().step_by(500) {
        rig.deliver("splunk", start..(start + 500).min(positions.end)).await;
    }
    settling.report("settle by 500, one at a time", stored);
    assert_eq!(rig.ledger("splunk").await.delivered, stored);
}

struct Measure {
    wall: Instant,
    cpu: Duration,
}

impl Measure {
    fn start() -> Measure {
        Measure { wall: Instant::now(), cpu: cpu_time() }
    }

    fn report(self, what: &str, events: u64) {
        let wall = self.wall.elapsed().as_secs_f64();
        let cpu = (cpu_time() - self.cpu).as_secs_f64();
        let millions = events as f64 / 1e6;
        println!(
            "{what}: {:.0} events/s, {:.2} CPU s per million events",
            events as f64 / wall,
            cpu / millions
        );
    }
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Events like the ones that gateways send: the same keys, values that differ.
fn request(seed: u64) -> EventBuffer {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    buffer((0..EVENTS_PER_APPEND).map(|_| {
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let types = ["dlp.pii_blocked", "auth.failed", "policy.violation", "model.request"];
        let event_type = types[(next() % 4) as usize];
        encode(event_type, Severity::Medium, "acme", &document(event_type, &mut next))
    }))
}

fn document(event_type: &str, next: &mut impl FnMut() -> u64) -> String {
    let mut text =
        format!(r#"{{"event_id":"evt_{:016x}{:08x}","event_type":"{event_type}""#, next(), next() as u32);
    let user = next() % 400;
    write!(
        text,
        r#","timestamp":"2026-06-08T{:02}:{:02}:{:02}.{:03}Z","organization":"acme","user":{{"id":"usr_{user:06}","email":"user{user}@acme.example"}}"#,
        next() % 24,
        next() % 60,
        next() % 60,
        next() % 1000
    )
    .unwrap();
    write!(
        text,
        r#","client":{{"ip":"10.{}.{}.{}","user_agent":"python-httpx/0.27.2"}},"model":{{"provider":"openai","name":"gpt-4o","tokens_in":{},"tokens_out":{},"latency_ms":{}}}"#,
        next() % 256,
        next() % 256,
        next() % 256,
        next() % 4000,
        next() % 2000,
        next() % 9000
    )
    .unwrap();
    write!(
        text,
        r#","policy":{{"id":"pol-{:03}","name":"Block personal data","action":"block","matched":["EMAIL_ADDRESS","PHONE_NUMBER"]}},"trace_id":"{:016x}{:016x}","session":"{:016x}"}}"#,
        next() % 40,
        next(),
        next(),
        next()
    )
    .unwrap();
    text
}

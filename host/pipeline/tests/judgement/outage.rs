//! Three days without a SIEM, in simulated time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use siemaphore_receiver::Fault;
use siemaphore_store::Clock;

use crate::scene::Scene;

const STEP: Duration = Duration::from_secs(5 * 60);
const STEPS: u64 = 72 * 12;
const EVENTS_A_STEP: u64 = 25;
/// Room for about two thirds of what three days bring.
const SIZE_LIMIT_BYTES: u64 = 5 << 20;
/// One commit may go over the limit before something is expired for it.
const TOLERANCE_BYTES: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn three_days_of_outage_lose_nothing_but_what_the_size_limit_expires() {
    let now_ms = Arc::new(AtomicU64::new(wall_clock_ms()));
    let clock = Arc::clone(&now_ms);
    let scene = Scene::start_with(|store, pipeline| {
        store.clock = Clock::new(move || clock.load(Ordering::SeqCst));
        store.size_limit_bytes = SIZE_LIMIT_BYTES;
        store.ballast_bytes = 0;
        pipeline.concurrency = 1;
    })
    .await;
    scene.receiver.fail_always(Some(Fault::Status(503)));

    for step in 0..STEPS {
        let first = step * EVENTS_A_STEP;
        // Returns when the events are on disk: that is what a producer waits for.
        scene.append_numbered(first..first + EVENTS_A_STEP).await;
        now_ms.fetch_add(u64::try_from(STEP.as_millis()).unwrap(), Ordering::SeqCst);
        if step % 48 == 47 {
            let (held, ledger) = (scene.store.status().await.unwrap().size_bytes, scene.ledger().await);
            assert!(held <= SIZE_LIMIT_BYTES + TOLERANCE_BYTES, "{held} bytes after step {step}");
            assert_eq!(ledger.difference(), 0, "{ledger:?}");
            assert_eq!(ledger.accepted, first + EVENTS_A_STEP);
            assert_eq!(ledger.delivered + ledger.dead_lettered, 0);
        }
    }
    let expired = scene.ledger().await.expired;
    assert!(expired > 0 && expired < STEPS * EVENTS_A_STEP / 2, "{expired} expired");

    scene.receiver.fail_always(None);
    // What an operator does who does not want to wait for the end of a pause.
    assert!(scene.pipeline().test().await.unwrap().ok);
    scene.until(|ledger| ledger.waiting == 0).await;

    let ledger = scene.ledger().await;
    assert_eq!(ledger.difference(), 0, "{ledger:?}");
    assert_eq!((ledger.expired, ledger.dead_lettered), (expired, 0));
    assert_eq!(ledger.delivered + ledger.expired, STEPS * EVENTS_A_STEP);
    let numbers = received_numbers(&scene);
    assert!(numbers.is_sorted(), "delivery resumes with the oldest");
    assert_eq!(numbers.last(), Some(&(STEPS * EVENTS_A_STEP - 1)));
    // What was expired while it was in hand may have arrived all the same.
    assert!(numbers.len() as u64 >= ledger.delivered, "{} of {}", numbers.len(), ledger.delivered);
}

/// In the order of their arrival, without the synthetic event.
fn received_numbers(scene: &Scene) -> Vec<u64> {
    let received = scene.receiver.received();
    let numbers = received.iter().filter_map(|record| record.record["event"]["number"].as_u64());
    numbers.collect()
}

fn wall_clock_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since_1970.as_millis()).unwrap()
}

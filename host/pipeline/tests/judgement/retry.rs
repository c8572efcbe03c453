//! Failures that pass: how long they are waited for, and when the operator has had enough.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use siemaphore_pipeline::{GiveUp, RetryPolicy, Schedule};
use siemaphore_receiver::Fault;

use crate::scene::Scene;

const SOON: Duration = Duration::from_millis(20);

fn policy(attempts: Option<u32>, age: Option<Duration>) -> RetryPolicy {
    let attempts = attempts.and_then(NonZeroU32::new);
    RetryPolicy { schedule: Schedule::Fixed(vec![SOON]), give_up: GiveUp { attempts, age } }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_so_many_attempts_a_batch_is_dead_lettered_with_all_of_them() {
    let scene = Scene::start_with(|_, pipeline| pipeline.retry = policy(Some(3), None)).await;
    scene.receiver.script(vec![Fault::Status(503), Fault::Status(503), Fault::Status(503)]);
    scene.append(5).await;
    scene.until(|ledger| ledger.dead_lettered == 5).await;
    let letters = scene.store.dead_letters(None, None, 10).await.unwrap();
    assert_eq!(letters.len(), 5);
    assert!(letters[0].cause.starts_with("given up after 3 attempts: "), "{}", letters[0].cause);
    let letter = scene.store.dead_letter(letters[4].id).await.unwrap().unwrap();
    assert_eq!(letter.attempts.iter().map(|attempt| attempt.status).collect::<Vec<_>>(), [Some(503); 3]);

    scene.append(5).await;
    scene.until(|ledger| ledger.delivered == 5).await;
    assert_eq!(scene.ledger().await.difference(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_destination_gives_nothing_up_however_often_it_tries() {
    let scene = Scene::start_with(|_, pipeline| pipeline.retry = policy(Some(2), Some(SOON))).await;
    scene.receiver.script(vec![Fault::Status(403); 12]);
    scene.append(5).await;
    scene.until(|ledger| ledger.delivered == 5).await;
    assert_eq!(scene.ledger().await.dead_lettered, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_past_their_age_are_dead_lettered_while_requests_fail_and_fresh_ones_are_not() {
    let age = Duration::from_secs(3);
    let scene = Scene::start_with(|_, pipeline| pipeline.retry = policy(None, Some(age))).await;
    scene.receiver.fail_always(Some(Fault::Status(503)));
    scene.append(20).await;
    scene.until(|ledger| ledger.dead_lettered == 20).await;
    scene.receiver.fail_always(None);
    scene.append(5).await;
    scene.until(|ledger| ledger.delivered == 5).await;
    let letters = scene.store.dead_letters(None, None, 1).await.unwrap();
    assert!(letters[0].cause.starts_with("not delivered within the age to give up"), "{}", letters[0].cause);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_events_go_in_a_second_than_the_operator_allows() {
    let began = Instant::now();
    let scene = Scene::start_with(|_, pipeline| pipeline.events_per_second = NonZeroU32::new(100)).await;
    scene.append(300).await;
    scene.until(|ledger| ledger.delivered == 300).await;
    // A hundred at once, and each of the two hundred others after its time.
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(scene.receiver.requests().iter().all(|request| request.records <= 100));
}

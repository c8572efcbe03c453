//! Dead letters that are sent again, and the limit on how many there may be.

use siemaphore_pipeline::State;
use siemaphore_receiver::Fault;
use siemaphore_store::{DeadLetterLimit, Selection, WhenFull};

use crate::refused;
use crate::scene::{DESTINATION, Scene};

/// Two events are refused by name, the others arrive.
async fn with_two_letters(scene: &Scene) {
    scene.receiver.script(vec![refused(1), refused(1)]);
    scene.append(6).await;
    scene.until(|ledger| ledger.waiting == 0).await;
    let ledger = scene.ledger().await;
    assert_eq!((ledger.delivered, ledger.dead_lettered), (4, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn replayed_letters_arrive_and_are_letters_no_more() {
    let scene = Scene::start().await;
    with_two_letters(&scene).await;
    let marked = scene.store.request_replay(DESTINATION, Selection::All).await.unwrap();
    assert_eq!(marked, 2);
    scene.until(|ledger| ledger.delivered == 6).await;
    let ledger = scene.ledger().await;
    assert_eq!((ledger.dead_lettered, ledger.difference()), (0, 0));
    assert!(scene.store.dead_letters(None, None, 10).await.unwrap().is_empty());
    assert_eq!(scene.store.replays_waiting(DESTINATION).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_fails_again_keeps_its_row_with_the_new_cause_and_every_attempt() {
    let scene = Scene::start().await;
    with_two_letters(&scene).await;
    let before = scene.store.dead_letters(None, None, 10).await.unwrap();
    scene.receiver.fail_always(Some(Fault::StatusWith {
        status: 400,
        headers: Vec::new(),
        body: r#"{"text":"Event field is required","code":12,"invalid-event-number":0}"#.to_owned(),
    }));
    scene.store.request_replay(DESTINATION, Selection::Ids(vec![before[0].id])).await.unwrap();
    scene.until_replayed().await;
    let after = scene.store.dead_letters(None, None, 10).await.unwrap();
    assert_eq!(after.len(), 2);
    let letter = scene.store.dead_letter(before[0].id).await.unwrap().unwrap();
    assert_ne!(letter.letter.cause, before[0].cause);
    assert!(letter.attempts.len() >= 2, "{:?}", letter.attempts);
    assert_eq!(after[1], before[1]);
    let ledger = scene.ledger().await;
    assert_eq!((ledger.dead_lettered, ledger.difference()), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_waits_out_an_outage_and_lets_live_events_pass() {
    let scene = Scene::start().await;
    with_two_letters(&scene).await;
    scene.receiver.script(vec![Fault::RetryAfter(std::time::Duration::from_secs(1))]);
    scene.store.request_replay(DESTINATION, Selection::All).await.unwrap();
    scene.append(10).await;
    scene.until(|ledger| ledger.delivered == 16).await;
    assert_eq!(scene.ledger().await.dead_lettered, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_beyond_their_limit_hold_the_destination_until_some_are_discarded() {
    let scene = Scene::start_with(|_, pipeline| {
        pipeline.dead_letter_limit = DeadLetterLimit { bytes: 4_000, when_full: WhenFull::Hold };
    })
    .await;
    // Every second event is refused by name, so there is always one that goes through.
    scene.receiver.script(vec![refused(1); 6]);
    scene.append(12).await;
    scene.until_state(State::Holding).await;
    let error = scene.pipeline().status().last_error.unwrap();
    assert!(error.hint.contains("dead_letter_limit"), "{error:?}");
    let held = scene.ledger().await;
    assert!(held.dead_lettered < 6 && held.waiting > 0, "{held:?}");
    assert_eq!(held.difference(), 0);

    scene.store.discard(DESTINATION, Selection::All).await.unwrap();
    scene.until(|ledger| ledger.waiting == 0).await;
    let ledger = scene.ledger().await;
    assert_eq!(ledger.delivered + ledger.dead_lettered + ledger.discarded, 12);
    assert_eq!((ledger.discarded, ledger.difference()), (held.dead_lettered, 0));
}

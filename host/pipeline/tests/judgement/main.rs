//! What becomes of events that a SIEM refuses: real store, real component, real TLS.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod acknowledgement;
mod misbehaving;
mod outage;
mod replay;
mod retry;
mod scene;
mod verdicts;
mod versions;

use siemaphore_pipeline::State;
use siemaphore_receiver::Fault;

use crate::scene::Scene;

fn refused(event: u32) -> Fault {
    let body = format!(r#"{{"text":"Invalid data format","code":6,"invalid-event-number":{event}}}"#);
    Fault::StatusWith { status: 400, headers: Vec::new(), body }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_delivered_once_and_the_ledger_says_so() {
    let scene = Scene::start().await;
    scene.append(5_000).await;
    scene.until(|ledger| ledger.delivered == 5_000).await;
    let received = scene.receiver.received();
    assert_eq!(received.len(), 5_000);
    assert!(scene.receiver.violations().is_empty(), "{:?}", scene.receiver.violations());
    assert_eq!(scene.ledger().await.difference(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_siem_names_is_dead_lettered_and_the_rest_goes_on() {
    let scene = Scene::start().await;
    scene.receiver.script(vec![refused(2)]);
    scene.append(5).await;
    scene.until(|ledger| ledger.waiting == 0).await;
    let ledger = scene.ledger().await;
    // The SIEM has indexed what stood before the event that it names; the two after it were sent again.
    assert_eq!((ledger.delivered, ledger.dead_lettered), (4, 1));
    assert_eq!(scene.receiver.received().len(), 2);
    let letters = scene.store.dead_letters(None, None, 10).await.unwrap();
    // Positions begin at 1.
    assert_eq!(letters[0].position, 3);
    let letter = scene.store.dead_letter(letters[0].id).await.unwrap().unwrap();
    assert_eq!(letter.attempts[0].status, Some(400));
    assert_eq!((letter.plugin.as_str(), letter.event.len()), ("splunk", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_fails_as_a_whole_is_held_and_nothing_is_given_up() {
    let scene = Scene::start().await;
    scene.receiver.fail_always(Some(Fault::StatusWith {
        status: 400,
        headers: Vec::new(),
        body: r#"{"text":"No data","code":5}"#.to_owned(),
    }));
    scene.append(300).await;
    scene.until_state(State::Holding).await;
    let ledger = scene.ledger().await;
    assert_eq!((ledger.dead_lettered, ledger.delivered, ledger.waiting), (0, 0, 300));
    // Halving stopped long before every event had stood alone, which takes 599 requests. How many it took depends on
    // how the four that run at the same time fall.
    assert!(scene.receiver.totals().requests < 200, "{:?}", scene.receiver.totals());

    scene.receiver.fail_always(None);
    scene.until(|ledger| ledger.delivered == 300).await;
    assert_eq!(scene.ledger().await.dead_lettered, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_fails_alone_waits_for_another_and_is_then_tried_once_more() {
    let scene = Scene::start().await;
    scene.receiver.script(vec![refused(0)]);
    scene.append(1).await;
    scene.until_suspects(1).await;
    assert_eq!(scene.ledger().await.waiting, 1);

    scene.append(1).await;
    scene.until(|ledger| ledger.delivered == 2).await;
    assert_eq!(scene.ledger().await.dead_lettered, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_fails_again_after_others_went_through_is_dead_lettered() {
    let scene = Scene::start().await;
    scene.receiver.script(vec![refused(0)]);
    scene.append(1).await;
    scene.until_suspects(1).await;
    // The next request is the other event's; the one after it the suspect's second try.
    scene.receiver.script(vec![Fault::HangFor(std::time::Duration::ZERO), refused(0)]);
    scene.append(1).await;
    scene.until(|ledger| ledger.waiting == 0).await;
    let ledger = scene.ledger().await;
    assert_eq!((ledger.delivered, ledger.dead_lettered), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_sent_in_halves() {
    let scene = Scene::start().await;
    scene.receiver.script(vec![Fault::Status(413), Fault::Status(413)]);
    scene.append(8).await;
    scene.until(|ledger| ledger.delivered == 8).await;
    let sizes: Vec<usize> = scene.receiver.requests().iter().map(|request| request.records).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 8);
    assert_eq!(scene.receiver.received().len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_credential_holds_and_says_what_to_do() {
    let scene = Scene::start_with_token("wrong").await;
    scene.append(3).await;
    scene.until_state(State::Holding).await;
    let error = scene.pipeline().status().last_error.unwrap();
    assert!(error.hint.to_lowercase().contains("token"), "{error:?}");
    let ledger = scene.ledger().await;
    assert_eq!((ledger.waiting, ledger.dead_lettered), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_settles_what_is_in_flight_and_the_rest_waits_in_the_log() {
    let scene = Scene::start().await;
    scene.append(4_000).await;
    let (received, ledger) = scene.drain().await;
    assert_eq!(ledger.delivered, received as u64);
    assert_eq!(ledger.delivered + ledger.waiting, 4_000);
    assert_eq!(ledger.difference(), 0);
}

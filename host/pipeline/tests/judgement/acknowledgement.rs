//! Splunk's indexer acknowledgement through the real formatter: received is not yet delivered.

use std::time::Duration;

use siemaphore_pipeline::State;
use siemaphore_receiver::{Acknowledgement, Fault, Siem};

use crate::scene::{Cast, Scene, TOKEN};

const PATIENCE: Duration = Duration::from_secs(30);

async fn waiting_for_acknowledgement(siem: Siem) -> Scene {
    let cast = Cast { siem, ..Cast::default() };
    Scene::build(cast, |_, pipeline| {
        pipeline.settings = r#"{"indexer_acknowledgement":true}"#.to_owned();
    })
    .await
}

fn acknowledging(how: Acknowledgement) -> Siem {
    Siem::splunk_hec_acknowledging(TOKEN, how)
}

/// How many polls the SIEM has answered or let fall.
fn polls(scene: &Scene) -> usize {
    scene.receiver.requests().iter().filter(|request| request.path.ends_with("/ack")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_delivered_when_they_are_indexed_and_not_when_they_are_received() {
    let scene = waiting_for_acknowledgement(acknowledging(Acknowledgement::when_told())).await;
    scene.append(10).await;
    scene.until_unconfirmed(1).await;
    scene.receiver.wait_for_requests(3, PATIENCE).await.unwrap();
    let ledger = scene.ledger().await;
    assert_eq!((scene.receiver.received().len(), ledger.delivered, ledger.waiting), (10, 0, 10));

    scene.receiver.index_now();
    scene.until(|ledger| ledger.delivered == 10).await;
    assert_eq!(scene.receiver.received().len(), 10, "polled, not sent again");
    assert_eq!(scene.ledger().await.difference(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn unconfirmed_batches_do_not_keep_the_next_ones_from_being_sent() {
    let scene = waiting_for_acknowledgement(acknowledging(Acknowledgement::when_told())).await;
    for batch in 0..12 {
        scene.append_numbered(batch * 10..(batch + 1) * 10).await;
        scene.receiver.wait_for((usize::try_from(batch).unwrap() + 1) * 10, PATIENCE).await.unwrap();
    }
    assert_eq!(scene.ledger().await.delivered, 0);
    scene.receiver.index_now();
    scene.until(|ledger| ledger.delivered == 120).await;
    assert_eq!(scene.receiver.received().len(), 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_balancer_each_batch_is_confirmed_by_the_indexer_that_took_it() {
    let how = Acknowledgement::after_polls(1).behind_balancer(3);
    let scene = waiting_for_acknowledgement(acknowledging(how)).await;
    scene.append(5_000).await;
    scene.until(|ledger| ledger.delivered == 5_000).await;
    let received = scene.receiver.received();
    assert_eq!(received.len(), 5_000, "nothing was sent twice");
    assert!(polls(&scene) >= 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_fails_is_repeated_and_the_events_are_not() {
    let scene = waiting_for_acknowledgement(acknowledging(Acknowledgement::after_polls(0))).await;
    scene.receiver.script_polls(vec![Fault::Status(503), Fault::Close, Fault::CloseMidBody]);
    scene.append(10).await;
    scene.until(|ledger| ledger.delivered == 10).await;
    assert_eq!((scene.receiver.received().len(), polls(&scene)), (10, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_whose_polls_are_refused_are_repeated_ever_more_slowly() {
    let scene = waiting_for_acknowledgement(acknowledging(Acknowledgement::when_told())).await;
    scene.receiver.script_polls(vec![Fault::Status(404); 2]);
    scene.append(10).await;
    scene.receiver.wait_for(30, PATIENCE).await.unwrap();
    let status = scene.pipeline().status();
    assert_eq!((status.state, status.failures), (State::Holding, 2), "to be taken is no success");
    assert!(status.last_error.unwrap().hint.contains("/services/collector/ack"));

    scene.receiver.index_now();
    scene.until(|ledger| ledger.delivered == 10).await;
    assert_eq!((scene.pipeline().status().failures, scene.ledger().await.duplicates), (0, 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_lost_in_a_restart_is_not_confirmed_by_the_number_of_a_later_one() {
    let scene = waiting_for_acknowledgement(acknowledging(Acknowledgement::when_told())).await;
    scene.append_numbered(0..5).await;
    scene.until_unconfirmed(1).await;
    scene.receiver.forget_acknowledgements();
    // Gets the number that the first batch had.
    scene.append_numbered(5..10).await;
    scene.receiver.wait_for(10, PATIENCE).await.unwrap();
    scene.until(|ledger| ledger.duplicates == 5).await;
    scene.receiver.index_now();
    scene.until(|ledger| ledger.delivered == 5).await;
    // Only now: after a failure one batch at a time is sent and confirmed.
    scene.receiver.wait_for(15, PATIENCE).await.unwrap();
    scene.receiver.index_now();
    scene.until(|ledger| ledger.delivered == 10).await;
    assert_eq!(scene.ledger().await.difference(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_indexers_forget_in_a_restart_are_not_delivered() {
    let scene = waiting_for_acknowledgement(acknowledging(Acknowledgement::when_told())).await;
    scene.append(10).await;
    scene.until_unconfirmed(1).await;
    scene.receiver.forget_acknowledgements();
    scene.receiver.index_now();
    scene.receiver.wait_for_requests(4, PATIENCE).await.unwrap();
    let ledger = scene.ledger().await;
    assert_eq!((ledger.delivered, ledger.waiting), (0, 10));
}

/// Sent again, they would be there twice, and unconfirmed again.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_acknowledgement_takes_events_once() {
    let scene = waiting_for_acknowledgement(Siem::splunk_hec(TOKEN)).await;
    scene.append(10).await;
    scene.until(|ledger| ledger.delivered == 10).await;
    assert_eq!((scene.receiver.received().len(), polls(&scene)), (10, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_demands_acknowledgement_holds_and_the_hint_names_the_setting() {
    let siem = acknowledging(Acknowledgement::after_polls(0));
    let scene = Scene::build(Cast { siem, ..Cast::default() }, |_, _| {}).await;
    scene.append(10).await;
    scene.until_state(State::Holding).await;
    let error = scene.pipeline().status().last_error.unwrap();
    assert!(error.hint.contains("`indexer_acknowledgement`"), "{error:?}");
    assert_eq!((scene.receiver.received().len(), scene.ledger().await.waiting), (0, 10));
}

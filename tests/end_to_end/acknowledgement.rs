//! Splunk's indexer acknowledgement, from the configuration to the ledger.

use std::collections::BTreeSet;

use crate::support::events::numbered;
use crate::support::{Destination, Kind, Scene, keys};

fn confirmed_splunk() -> Destination {
    Destination::to(Kind::AcknowledgingSplunk).with("settings = { indexer_acknowledgement = true }")
}

#[tokio::test]
async fn events_are_delivered_when_splunk_says_that_they_are_indexed() {
    let scene = Scene::new().to(confirmed_splunk()).start().await;
    scene.send(&numbered("indexed", 20)).await;
    // The events, and a question about them.
    scene.splunk().requested(2).await;
    let before = scene.destination("splunk").await;
    assert_eq!((&before["ledger"]["delivered"], &before["ledger"]["waiting"]), (&0.into(), &20.into()));
    scene.splunk().index_now();
    scene.until("splunk", "confirmed", |view| view["ledger"]["delivered"] == 20).await;
    assert_eq!(scene.splunk().received().len(), 20);
    scene.stop().await;
}

#[tokio::test]
async fn events_that_a_dying_host_left_unconfirmed_are_sent_again_under_their_keys() {
    let mut scene = Scene::new().to(confirmed_splunk()).start().await;
    scene.send(&numbered("unconfirmed", 20)).await;
    scene.splunk().requested(2).await;
    scene.host.kill().await;

    scene.restart().await;
    let received = scene.splunk().arrived(40).await;
    scene.splunk().index_now();
    scene.until("splunk", "confirmed", |view| view["ledger"]["delivered"] == 20).await;
    assert_eq!(keys(&received).into_iter().collect::<BTreeSet<_>>().len(), 20);
    scene.stop().await;
}

#[tokio::test]
async fn a_token_that_demands_acknowledgement_holds_until_the_setting_is_on() {
    let scene = Scene::new().to(Destination::to(Kind::AcknowledgingSplunk)).start().await;
    scene.send(&numbered("held", 5)).await;
    let held = scene.until("splunk", "holding", |view| view["status"]["state"] == "holding").await;
    assert!(held.to_string().contains("indexer_acknowledgement"), "{held:#}");
    assert_eq!((scene.splunk().received().len(), &held["ledger"]["waiting"]), (0, &5.into()));
    scene.stop().await;
}

//! SIEMs and networks on a bad day, and hosts that die: nothing accepted is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;
use siemaphore_receiver::{Fault, ReceiverConfig};

use crate::support::events::{numbered, numbered_ids};
use crate::support::{Destination, Kind, Scene, ids, keys};

#[tokio::test]
async fn whatever_goes_wrong_once_everything_arrives_afterwards() {
    let faults = [
        ("overloaded", Fault::Status(503)),
        ("broken", Fault::Status(500)),
        ("throttled", Fault::RetryAfter(Duration::from_secs(1))),
        ("closed", Fault::Close),
        ("cut-short", Fault::CloseMidBody),
        ("silent", Fault::Hang),
        ("forgetful", Fault::LoseAnswer),
    ];
    let mut building = Scene::new();
    for (name, _) in &faults {
        building = building.to(Destination::to(Kind::Splunk).named(name).with("timeout = \"2s\""));
    }
    let scene = building.start().await;
    for (name, fault) in &faults {
        scene.siem(name).script(vec![fault.clone()]);
    }
    scene.send(&numbered("bad-day", 10)).await;
    for (name, fault) in &faults {
        // Only where the SIEM took the events and the answer was lost do they come twice, with the same keys.
        let times = if matches!(fault, Fault::LoseAnswer) { 2 } else { 1 };
        let received = scene.siem(name).arrived(10 * times).await;
        let distinct: BTreeSet<String> = keys(&received).into_iter().collect();
        assert_eq!((received.len(), distinct.len()), (10 * times, 10), "{name}");
        scene.until(name, "settled", |view| view["ledger"]["delivered"] == 10).await;
        let requests = scene.siem(name).requests();
        assert!(
            requests.len() >= 2 && requests[0].status != Some(StatusCode::OK),
            "{name}: the fault happened"
        );
    }
    scene.stop().await;
}

#[tokio::test]
async fn a_siem_that_names_a_time_to_come_back_is_left_alone_until_then() {
    let scene = Scene::new().splunk().start().await;
    scene.splunk().script(vec![Fault::RetryAfter(Duration::from_secs(3))]);
    scene.send(&numbered("patience", 1)).await;
    scene.splunk().arrived(1).await;
    let requests = scene.splunk().requests();
    let pause = requests[1].at.duration_since(requests[0].at).unwrap();
    assert!(pause >= Duration::from_millis(2_900), "{pause:?}");
    scene.stop().await;
}

#[tokio::test]
async fn events_accepted_before_a_crash_are_delivered_after_it() {
    let mut scene = Scene::new().splunk().datadog().start().await;
    scene.splunk().fail_always(Some(Fault::Status(503)));
    scene.datadog().fail_always(Some(Fault::Hang));
    for batch in 0..4 {
        scene.send(&numbered(&format!("crash-{batch}"), 250)).await;
    }
    scene.splunk().requested(1).await;
    scene.datadog().requested(1).await;
    scene.host.kill().await;
    scene.splunk().fail_always(None);
    scene.datadog().fail_always(None);
    scene.restart().await;
    assert_eq!(scene.destination("splunk").await["ledger"]["accepted"], 1_000);
    for siem in [scene.splunk(), scene.datadog()] {
        let received = siem.arrived(1_000).await;
        assert_eq!(keys(&received).into_iter().collect::<BTreeSet<_>>().len(), 1_000);
    }
    scene.stop().await;
}

/// At least once: what was in flight may come twice, and its keys say so.
#[tokio::test]
async fn a_crash_in_the_middle_of_delivery_loses_nothing() {
    let mut scene = Scene::new().to(Destination::to(Kind::Splunk).with("batch_events = 20")).start().await;
    scene.send(&numbered("middle", 2_000)).await;
    scene.splunk().arrived(200).await;
    scene.host.kill().await;
    scene.restart().await;
    scene.until("splunk", "settled", |view| view["ledger"]["delivered"] == 2_000).await;
    let received = scene.splunk().received();
    assert_eq!(keys(&received).into_iter().collect::<BTreeSet<_>>().len(), 2_000);
    scene.stop().await;
}

#[tokio::test]
async fn a_batch_that_is_too_large_for_the_siem_is_split_until_it_fits() {
    let small = ReceiverConfig { max_body_bytes: Some(16_000), ..ReceiverConfig::default() };
    let scene = Scene::new().to(Destination::to(Kind::Splunk).receiver(small)).start().await;
    scene.send(&numbered("large", 300)).await;
    assert_eq!(ids(&scene.splunk().arrived(300).await), numbered_ids("large", 300));
    let view = scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!((&view["ledger"]["delivered"], &view["ledger"]["dead_lettered"]), (&300.into(), &0.into()));
    let too_large = |status| status == Some(StatusCode::PAYLOAD_TOO_LARGE);
    assert!(scene.splunk().requests().iter().any(|request| too_large(request.status)));
    scene.stop().await;
}

#[tokio::test]
async fn an_event_that_the_siem_refuses_is_set_apart_and_the_others_arrive() {
    let scene = Scene::new().splunk().start().await;
    // What HEC answers when it has indexed two events and cannot read the third.
    let body = r#"{"text":"Invalid data format","code":6,"invalid-event-number":2}"#.to_owned();
    scene.splunk().script(vec![Fault::StatusWith { status: 400, headers: Vec::new(), body }]);
    scene.send(&numbered("poison", 5)).await;
    // The stand-in was scripted, so it has kept none of the two that HEC would have kept.
    let received = scene.splunk().arrived(2).await;
    assert_eq!(ids(&received), ["poison-3", "poison-4"]);
    let view = scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!((&view["ledger"]["delivered"], &view["ledger"]["dead_lettered"]), (&4.into(), &1.into()));
    let letters = scene.ask(&["dead-letters", "list", "--json"]).await.expect(0).json();
    assert_eq!(letters.as_array().unwrap().len(), 1, "{letters:#}");
    assert_eq!(letters[0]["destination"], "acme/splunk");
    assert!(letters[0]["cause"].as_str().unwrap().contains("Invalid data format"), "{letters:#}");
    scene.stop().await;
}

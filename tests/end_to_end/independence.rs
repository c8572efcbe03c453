//! Destinations do not know each other.

use siemaphore_receiver::Fault;

use crate::support::events::{numbered, numbered_ids};
use crate::support::{Destination, Kind, Scene, ids};

#[tokio::test]
async fn while_one_destination_refuses_and_another_hangs_the_third_gets_everything() {
    let hanging = Destination::to(Kind::Datadog).with("timeout = \"5s\"");
    let scene = Scene::new().splunk().to(hanging).sentinel().start().await;
    scene.splunk().fail_always(Some(Fault::Status(403)));
    scene.datadog().fail_always(Some(Fault::Hang));
    let mut expected = Vec::new();
    for round in 0..5 {
        let prefix = format!("round{round}");
        scene.send(&numbered(&prefix, 100)).await;
        expected.extend(numbered_ids(&prefix, 100));
        // Each round waits for the one before: a third destination that only starts well would not do.
        scene.sentinel().arrived(expected.len()).await;
    }
    expected.sort();
    assert_eq!(ids(&scene.sentinel().received()), expected);
    assert_eq!(scene.splunk().totals().records + scene.datadog().totals().records, 0);

    let refused = scene.until("splunk", "holding", |view| view["status"]["state"] == "holding").await;
    assert_eq!(refused["ledger"]["waiting"], 500);
    assert_eq!(scene.destination("datadog").await["ledger"]["waiting"], 500);
    scene.until("sentinel", "settled", |view| view["ledger"]["delivered"] == 500).await;

    scene.splunk().fail_always(None);
    scene.splunk().arrived(500).await;
    scene.until("splunk", "well", |view| view["status"]["state"] != "holding").await;
    // One request still hangs; the host waits for its timeout and not for ever.
    scene.stop().await;
}

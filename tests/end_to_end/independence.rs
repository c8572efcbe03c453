//! Destinations do not know each other, and organisations pay for themselves.

use std::collections::BTreeSet;

use serde_json::Value;
use siemaphore_receiver::Fault;

use crate::support::events::{lines, numbered, numbered_ids};
use crate::support::{Destination, Kind, Scene, get, ids, token_of};

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

/// The large organisation sends several times what the store holds, the small one next to nothing, and neither is
/// delivered anything. Only the large one loses, only its oldest, and what it lost is counted.
#[tokio::test]
async fn at_the_size_limit_the_organisation_that_holds_most_loses_its_oldest_events() {
    let large = Destination::to(Kind::Splunk).named("large").with("batch_events = 10");
    let small = Destination::to(Kind::Splunk).named("small").of("umbra");
    let building = Scene::new().store("size_limit = \"16 MiB\"").organization("umbra").to(large).to(small);
    let scene = building.start().await;
    for destination in ["large", "small"] {
        scene.siem(destination).fail_always(Some(Fault::Status(503)));
    }
    let few = lines(&numbered("few", 40));
    let ndjson = [("content-type", "application/x-ndjson")];
    scene.post_as(&token_of("umbra"), &ndjson, few).await.expect(200);
    let mut sent = 0;
    while scene.destination("large").await["ledger"]["expired"].as_u64() < Some(50) {
        assert!(sent < 1_000, "nothing expires");
        scene.send(&bulky("many", sent..sent + 50)).await;
        sent += 50;
    }

    let large = scene.destination("large").await;
    let (expired, waiting) = (count(&large, "expired"), count(&large, "waiting"));
    assert_eq!((count(&large, "accepted"), expired + waiting), (sent, sent), "{large:#}");
    let small = scene.destination("small").await;
    assert_eq!((count(&small, "expired"), count(&small, "waiting")), (0, 40), "{small:#}");
    let expires = |line: &crate::support::Entry| line.message.contains("expired by the store's size limit");
    assert_eq!(scene.host.log.wait(0, "expired events", expires).await.field("organization"), "acme");
    let warns = |line: &crate::support::Entry| {
        line.level == "WARN"
            && line.message.contains("close to its size limit")
            && line.fields["percent"].as_u64() >= Some(80)
    };
    scene.host.log.wait(0, "the alert before", warns).await;
    let metrics = get(scene.host.admin, "/metrics").await.expect(200).text;
    assert!(metrics.contains("siemaphore_store_near_limit 1"), "{metrics}");
    let expected =
        format!("siemaphore_destination_events{{destination=\"acme/large\",end=\"expired\"}} {expired}");
    assert!(metrics.contains(&expected), "no {expected} in {metrics}");

    for destination in ["large", "small"] {
        scene.siem(destination).fail_always(None);
        scene.until(destination, "drained", |view| view["ledger"]["waiting"] == 0).await;
    }
    assert_eq!(ids(&scene.siem("small").received()), numbered_ids("few", 40));
    let arrived: BTreeSet<String> = ids(&scene.siem("large").received()).into_iter().collect();
    let newest: BTreeSet<String> = (expired..sent).map(|number| format!("many-{number}")).collect();
    // A few of the oldest were in hand when they expired, and are sent all the same: counted once, as expired.
    let lost: Vec<&String> = newest.difference(&arrived).collect();
    assert!(lost.is_empty(), "{lost:?}");
    scene.stop().await;
}

fn count(view: &Value, term: &str) -> usize {
    view["ledger"][term].as_u64().and_then(|count| count.try_into().ok()).expect("a count")
}

/// Events of 100 KB that compress to a half.
fn bulky(prefix: &str, numbers: std::ops::Range<usize>) -> Vec<Value> {
    let mut dice = fastrand::Rng::with_seed(numbers.start as u64);
    let mut events = numbered(prefix, numbers.end).split_off(numbers.start);
    for event in &mut events {
        event["details"]["trace"] =
            (0..6_250).map(|_| format!("{:016x}", dice.u64(..))).collect::<String>().into();
    }
    events
}

//! The ledger: every term of the sum, and an alarm when it is not right.

use rusqlite::Connection;
use serde_json::json;

use crate::support::events::numbered;
use crate::support::{Destination, Kind, Scene, get, run};

#[tokio::test]
async fn every_term_is_shown_for_every_destination_and_the_sum_is_right() {
    let picky = Destination::to(Kind::Datadog).with("minimum_severity = \"critical\"");
    let mut scene = Scene::new().splunk().to(picky).start().await;
    scene.send(&numbered("sum", 9)).await;
    for name in ["splunk", "datadog"] {
        scene.until(name, "settled", |view| view["ledger"]["waiting"] == 0).await;
    }
    let shown = scene.ask(&["ledger"]).await.expect(0);
    shown.shows(&["acme/splunk", "acme/datadog", "accepted", "delivered", "filtered", "dead-lettered"]);
    shown.shows(&["discarded", "expired", "damaged", "waiting", "adds up", "yes"]);
    let ledgers = scene.ask(&["ledger", "--json"]).await.expect(0).json();
    let [datadog, splunk] = ledgers.as_array().unwrap().as_slice() else { panic!("{ledgers:#}") };
    assert_eq!((&splunk["delivered"], &datadog["filtered"]), (&json!(9), &json!(9)), "{ledgers:#}");
    let one = scene.ask(&["ledger", "splunk", "--json"]).await.expect(0).json();
    assert_eq!(one, json!([splunk]));
    scene.ask(&["ledger", "nobody"]).await.expect(1).shows(&["acme/splunk"]);

    // Without a host, the same from the store.
    scene.host.terminate().await;
    assert_eq!(scene.ask(&["ledger", "--json"]).await.expect(0).json(), ledgers);
    scene.restart().await;
    scene.stop().await;
}

#[tokio::test]
async fn a_sum_that_is_not_right_is_an_alarm_everywhere() {
    let mut scene = Scene::new().splunk().start().await;
    scene.send(&numbered("wrong", 4)).await;
    scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await;
    scene.host.terminate().await;
    // Nothing in the product can do this, so it is done to the file.
    let store = Connection::open(scene.path("state/store/store.db")).unwrap();
    store.execute("UPDATE destinations SET delivered = delivered - 1", []).unwrap();
    drop(store);
    let shown = scene.ask(&["ledger"]).await.expect(1);
    shown.shows(&["no: +1", "1 accepted event neither settled nor waiting", "siemaphore backup"]);
    assert_eq!(scene.ask(&["ledger", "--json"]).await.expect(1).json()[0]["difference"], 1);
    scene.restart().await;
    scene.ask(&["ledger"]).await.expect(1);
    scene.ask(&["doctor"]).await.expect(1).shows(&["does not add up"]);
    let metrics = get(scene.host.admin, "/metrics").await.expect(200).text;
    let sample = "siemaphore_destination_ledger_difference_events{destination=\"acme/splunk\"} 1";
    assert!(metrics.lines().any(|line| line == sample), "{metrics}");
    scene.stop().await;
}

#[tokio::test]
async fn a_mistake_elsewhere_in_the_configuration_does_not_hide_the_ledger() {
    let mut scene = Scene::new().splunk().start().await;
    scene.send(&numbered("mistake", 2)).await;
    scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await;
    let broken = scene.path("broken.toml");
    let text = std::fs::read_to_string(scene.configuration()).unwrap();
    std::fs::write(&broken, text.replace("formatter = ", "formater = ")).unwrap();
    let file = broken.to_str().unwrap();
    run(&["ledger", "--config", file]).await.expect(0).shows(&["acme/splunk"]);
    scene.host.terminate().await;
    run(&["ledger", "--config", file]).await.expect(0).shows(&["acme/splunk"]);
    scene.restart().await;
    scene.stop().await;
}

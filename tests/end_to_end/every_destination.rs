//! Every formatter that comes with the host, at once: each producer's events arrive at each SIEM as that SIEM takes
//! them, with its authentication, framing and limits.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use siemaphore_receiver::{Certificate, Receiver, Siem};

use crate::destinations::{self, Row};
use crate::support::events::documented;
use crate::support::{PATIENCE, Scene};

struct Connected {
    row: Row,
    receiver: Receiver,
}

#[tokio::test]
async fn every_event_of_every_producer_arrives_once_at_every_siem() {
    let rows = destinations::all();
    let certificate = Certificate::generate().unwrap();
    let stage = Scene::new().set().await;
    std::fs::write(stage.path("siems.pem"), certificate.ca_pem()).unwrap();
    let mut connected = Vec::new();
    let mut tables = String::new();
    for row in rows {
        let receiver = Receiver::start(Siem::clone(&row.siem), &certificate).await.unwrap();
        let secret = stage.secret_file(row.formatter, row.secret);
        tables.push_str(&table(&row, &receiver, &secret));
        connected.push(Connected { row, receiver });
    }
    stage.edit(|text| text + &tables);
    let mut scene = stage.start(None).await;

    let samples = documented();
    let events: Vec<Value> = samples.iter().map(|sample| sample.raw.clone()).collect();
    scene.send(&events).await;

    let mut keys_of_siems: BTreeMap<BTreeSet<String>, Vec<&str>> = BTreeMap::new();
    for Connected { row, receiver } in &connected {
        let records = (row.records)(events.len());
        let received = receiver.wait_for(records, PATIENCE).await;
        let received = received.unwrap_or_else(|error| panic!("{}: {error}", row.formatter));
        assert_eq!(received.len(), records, "{}", row.formatter);
        let keys: BTreeSet<String> = received.iter().map(row.key).collect();
        assert_eq!(keys.len(), events.len(), "{}: each event once", row.formatter);
        keys_of_siems.entry(keys).or_default().push(row.formatter);
    }
    assert_eq!(keys_of_siems.len(), 1, "an event has the same key everywhere: {:?}", keys_of_siems.values());

    for Connected { row, .. } in &connected {
        let settled = |view: &Value| view["ledger"]["waiting"] == 0;
        scene.until(row.formatter, "settled", settled).await;
    }
    assert!(scene.host.terminate().await.success());
    for Connected { row, receiver } in connected {
        assert_eq!(receiver.violations(), [], "{}", row.formatter);
        receiver.stop().await;
    }
}

#[test]
fn every_built_in_formatter_has_its_siem() {
    let rows: Vec<&str> = destinations::all().iter().map(|row| row.formatter).collect();
    let bundled: Vec<&str> = siemaphore_bundle::formatters().iter().map(|one| one.name).collect();
    assert_eq!(rows, bundled);
}

fn table(row: &Row, receiver: &Receiver, secret: &str) -> String {
    let lines = row.configuration.replace("{endpoint}", &receiver.endpoint());
    let lines = lines.replace("{token_url}", &receiver.token_url().unwrap_or_default());
    let formatter = row.formatter;
    format!(
        "\n[[destination]]\nname = \"{formatter}\"\norganization = \"acme\"\nformatter = \"{formatter}\"\n\
         ca_file = \"siems.pem\"\nsecret = \"file:{secret}\"\n{lines}\n"
    )
}

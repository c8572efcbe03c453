//! Requests that are signed for AWS: the SIEM computes each signature again, over the compressed body.

use std::collections::BTreeSet;

use serde_json::Value;
use siemaphore_receiver::{AwsKey, Certificate, Receiver, Siem};

use crate::support::events::numbered;
use crate::support::{PATIENCE, Scene};

const SECRET_KEY: &str = "canary/wJalrXUtnFEMI+K7MDENGbPxRfiCY";

#[tokio::test]
async fn amazons_opensearch_takes_signed_batches_and_a_wrong_key_holds_them() {
    let certificate = Certificate::generate().expect("a certificate");
    let opensearch = Siem::amazon_opensearch(AwsKey {
        region: "eu-central-1".to_owned(),
        service: "es".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: SECRET_KEY.to_owned(),
    });
    let receiver = Receiver::start(opensearch, &certificate).await.expect("a receiver");
    let stage = Scene::new().set().await;
    std::fs::write(stage.path("siems.pem"), certificate.ca_pem()).expect("a file");
    let mut tables = String::new();
    for (name, secret) in [("signed", SECRET_KEY), ("wrong", "canary/of-somebody-else")] {
        let secret = stage.secret_file(name, secret);
        tables.push_str(&format!(
            "\n[[destination]]\nname = \"{name}\"\norganization = \"acme\"\nformatter = \"elasticsearch\"\n\
             endpoint = \"{}\"\nca_file = \"siems.pem\"\nsecret = \"file:{secret}\"\n\
             settings = {{ service = \"opensearch\" }}\n\
             authentication = {{ scheme = \"aws-sigv4\", region = \"eu-central-1\", service = \"es\", \
             access_key_id = \"AKIDEXAMPLE\" }}\n",
            receiver.endpoint()
        ));
    }
    stage.edit(|text| text + &tables);
    let mut scene = stage.start(None).await;
    scene.send(&numbered("signed", 25)).await;
    let received = receiver.wait_for(25, PATIENCE).await.expect("all events");
    let ids: BTreeSet<&str> =
        received.iter().filter_map(|one| one.record.pointer("/event/id").and_then(Value::as_str)).collect();
    assert_eq!(ids.len(), 25, "each event once");
    let held = scene.until("wrong", "holding", |view: &Value| view["status"]["state"] == "holding").await;
    assert!(
        held["status"]["last_error"]["reason"].as_str().is_some_and(|reason| reason.contains("403")),
        "{held:#}"
    );
    assert_eq!(held["ledger"]["waiting"], 25, "{held:#}");
    let settled = |view: &Value| view["ledger"]["waiting"] == 0;
    scene.until("signed", "settled", settled).await;
    assert!(scene.host.terminate().await.success());
    assert_eq!(receiver.totals().records, 25, "what a wrong key has signed is not taken");
    assert_eq!(receiver.violations(), []);
    receiver.stop().await;
}

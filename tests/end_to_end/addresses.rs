//! A destination leads to the SIEM that its endpoint names, and nowhere else.

use siemaphore_receiver::Fault;

use crate::support::events::numbered;
use crate::support::{Destination, Kind, Scene, run};

/// Every way to write the address of the metadata service into a URL, and a few others that are never dialled.
const NEVER: [&str; 12] = [
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "[fd00:ec2::254]",
    "0.0.0.0",
    "[::]",
];

/// Whatever the operator allows.
#[tokio::test]
async fn an_endpoint_that_means_the_metadata_service_is_refused_before_the_host_starts() {
    let stage = Scene::new().splunk().set().await;
    stage.edit(|text| text.replace("\"127.0.0.0/8\", \"::1/128\"", "\"0.0.0.0/0\", \"::/0\""));
    let configuration = stage.configuration();
    let check = ["check", "--config", configuration.to_str().unwrap()];
    run(&check).await.expect(0);
    let mut endpoint = "localhost:".to_owned();
    for address in NEVER {
        let instead = format!("{address}:");
        stage.edit(|text| {
            text.replace(
                &format!("endpoint = \"https://{endpoint}"),
                &format!("endpoint = \"https://{instead}"),
            )
        });
        let output = run(&check).await.expect(2);
        output.shows(&["this address is never dialled", "endpoint", "siemaphore.toml"]);
        endpoint = instead;
    }
}

#[tokio::test]
async fn a_private_endpoint_is_refused_with_the_line_that_would_open_it() {
    let stage = Scene::new().splunk().set().await;
    stage.edit(|text| {
        text.replace("\"127.0.0.0/8\", \"::1/128\"", "").replace("https://localhost:", "https://127.0.0.1:")
    });
    let configuration = stage.configuration();
    let output = run(&["check", "--config", configuration.to_str().unwrap()]).await.expect(2);
    output.shows(&["the address 127.0.0.1 is loopback", "[egress]"]);
}

/// A name is judged by where it leads, each time that it is dialled.
#[tokio::test]
async fn a_name_that_leads_into_this_machine_is_not_dialled_and_the_operator_is_told_why() {
    let stage = Scene::new().splunk().set().await;
    stage.edit(|text| text.replace("\"127.0.0.0/8\", \"::1/128\"", ""));
    let scene = stage.start(None).await;
    scene.send(&numbered("inside", 3)).await;
    let view = scene.until("splunk", "holding", |view| view["status"]["state"] == "holding").await;
    let error = &view["status"]["last_error"];
    assert!(error["reason"].as_str().unwrap().contains("localhost may not be dialled"), "{view:#}");
    assert!(error["hint"].as_str().unwrap().contains("[egress]"), "{view:#}");
    assert_eq!(view["ledger"]["waiting"], 3, "nothing is given up");
    assert_eq!(scene.splunk().totals().requests, 0);
    scene.stop().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed_to_another_host_or_to_the_same() {
    let scene = Scene::new().to(Destination::to(Kind::Splunk)).datadog().start().await;
    let elsewhere = format!("{}/api/v2/logs", scene.datadog().endpoint());
    let here = format!("{}/services/collector/event", scene.splunk().endpoint());
    for (status, place) in
        [(301, &elsewhere), (302, &elsewhere), (303, &here), (307, &elsewhere), (308, &here)]
    {
        let location = vec![("location".to_owned(), place.clone())];
        scene.splunk().script(vec![Fault::StatusWith { status, headers: location, body: String::new() }]);
        let before = scene.splunk().totals().requests;
        let report = scene.ask(&["destination", "test", "splunk", "--json"]).await.expect(1).json();
        assert_eq!(report["status"], status, "{report:#}");
        assert!(report["hint"].as_str().unwrap().contains("redirect"), "{report:#}");
        assert_eq!(scene.splunk().totals().requests, before + 1, "{status} was followed");
    }
    assert_eq!(scene.datadog().totals().requests, 0, "another host got the request, and so the token");
    scene.stop().await;
}

//! Take the TLS check, the auth header or the formatter away, and one of these fails.

use siemaphore_receiver::Fault;

use crate::support::events::{numbered, numbered_ids};
use crate::support::{Destination, Kind, Scene, formatter, ids, keys};

#[tokio::test]
async fn a_siem_whose_certificate_is_not_trusted_gets_nothing_and_the_operator_is_told_why() {
    let scene =
        Scene::new().to(Destination::to(Kind::Splunk).trusting_another_authority()).datadog().start().await;
    scene.send(&numbered("tls", 5)).await;
    let view = scene.until("splunk", "holding", |view| view["status"]["state"] == "holding").await;
    let error = &view["status"]["last_error"];
    assert!(error["reason"].as_str().unwrap().contains("authority that is not trusted"), "{view:#}");
    assert!(error["hint"].as_str().unwrap().contains("CA file"), "{view:#}");
    assert_eq!(view["ledger"]["waiting"], 5, "nothing is given up");
    scene.datadog().arrived(5).await;
    assert_eq!(scene.splunk().totals().requests, 0, "not even a request line was shown to it");
    scene.stop().await;
}

#[tokio::test]
async fn a_wrong_secret_delivers_nothing_until_it_is_corrected_and_then_everything_without_a_restart() {
    let mut building = Scene::new();
    for kind in [Kind::Splunk, Kind::Datadog, Kind::Sentinel] {
        building = building.to(Destination::to(kind).with_secret("wrong-canary-secret"));
    }
    let scene = building.start().await;
    scene.send(&numbered("secret", 20)).await;
    for (name, hint) in [("splunk", "token"), ("datadog", "key"), ("sentinel", "secret")] {
        let view = scene.until(name, "holding", |view| view["status"]["state"] == "holding").await;
        let error = view["status"]["last_error"].clone();
        assert!(error["hint"].as_str().unwrap().to_lowercase().contains(hint), "{name}: {error}");
        assert_eq!(view["ledger"]["waiting"], 20, "nothing is given up: {view:#}");
        assert_eq!(scene.siem(name).totals().records, 0, "{name}");
    }
    for kind in [Kind::Splunk, Kind::Datadog, Kind::Sentinel] {
        scene.correct_secret(kind.name(), kind.secret());
    }
    for name in ["splunk", "datadog", "sentinel"] {
        // A test that succeeds ends the pause that the failures have earned, which could be minutes by now.
        scene.until_test_succeeds(name).await;
        let mut arrived = scene.siem(name).arrived(21).await;
        arrived.retain(|received| !received.raw.contains("siemaphore.test"));
        assert_eq!(ids(&arrived), numbered_ids("secret", 20), "{name}");
    }
    scene.stop().await;
}

#[tokio::test]
async fn what_arrives_is_what_the_customers_formatter_made() {
    let scene = Scene::new()
        .plugin("handmade.wasm", &formatter::handmade("made by hand"))
        .to(Destination::to(Kind::Datadog).formatted_by("handmade").with_only(
            "authentication = { scheme = \"header\", header = \"DD-API-KEY\", secret = \"file:FOLDER/datadog.secret\" }",
        ))
        .splunk()
        .start()
        .await;
    scene.send(&numbered("shaped", 3)).await;
    let received = scene.datadog().arrived(3).await;
    // The bundled formatter has shown the same events to Splunk, with the same keys.
    let mut expected: Vec<String> = keys(&scene.splunk().arrived(3).await)
        .iter()
        .map(|key| format!(r#"{{"message":"made by hand","event_key":"{key}"}}"#))
        .collect();
    let mut records: Vec<String> = received.iter().map(|received| received.raw.clone()).collect();
    expected.sort();
    records.sort();
    assert_eq!(records, expected);
    scene.stop().await;
}

#[tokio::test]
async fn an_answer_that_echoes_the_request_shows_no_credential_to_anybody() {
    let scene = Scene::new().splunk().datadog().start().await;
    for siem in [scene.splunk(), scene.datadog()] {
        siem.script(vec![Fault::EchoEverything, Fault::EchoEverything]);
    }
    for name in ["splunk", "datadog"] {
        let report = scene.ask(&["destination", "test", name, "--json"]).await.expect(1);
        assert!(report.json()["answer"].as_str().unwrap().contains("[secret]"), "{report:?}");
        assert!(!report.stdout.contains("canary"), "{report:?}");
    }
    scene.send(&numbered("echo", 1)).await;
    for (name, siem) in [("splunk", scene.splunk()), ("datadog", scene.datadog())] {
        siem.requested(2).await;
        let view = scene.until(name, "in trouble", |view| !view["status"]["last_error"].is_null()).await;
        assert!(!view.to_string().contains("canary"), "{view:#}");
        siem.arrived(1).await;
    }
    scene.stop().await;
}
